"""What the views correct in the picture of the network: by a known lens, and where they are in focus. NumPy only."""
