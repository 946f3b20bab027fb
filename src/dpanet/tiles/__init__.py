"""A picture cut into tiles that are blended without a seam, and put together of several sizes. NumPy only."""
