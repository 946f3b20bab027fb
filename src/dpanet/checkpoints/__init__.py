"""Read and write models: our safetensors files, official checkpoints, and the shipped weights."""
