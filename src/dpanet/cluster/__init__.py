"""Folders of pairs, here or on an object store, deblurred by the workers of a Ray cluster."""
