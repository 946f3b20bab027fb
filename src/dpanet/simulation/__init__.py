"""Simulate dual-pixel pairs from photographs: lens, kernels, layers, noise."""
