"""Simulate dual-pixel pairs from photographs: content, lens, kernels, layers."""
