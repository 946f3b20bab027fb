"""Trained networks as files of other runtimes: exported, verified, quantized."""
