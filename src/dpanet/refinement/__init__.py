"""What the optics of the lens add to the picture of the network. NumPy only."""
