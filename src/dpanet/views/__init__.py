"""Views as developers have them: NumPy arrays, torch tensors, Pillow images."""
