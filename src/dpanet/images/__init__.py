"""Read and write image files as NumPy arrays. No torch here."""
