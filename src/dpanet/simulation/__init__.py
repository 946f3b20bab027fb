"""Makes pairs from photographs: lens, kernels, layers, noise."""
