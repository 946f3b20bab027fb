"""Pair in: files become arrays. Knows NumPy and files, never torch."""
