"""What runs a network: ONNX Runtime, OpenVINO or torch, on a processor or an accelerator."""
