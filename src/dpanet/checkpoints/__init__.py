"""Model files: safetensors, the official checkpoint form, and the weights that ship."""
