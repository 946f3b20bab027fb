"""The page: a server that deblurs what a visitor drops on it, and the same page as static files."""
