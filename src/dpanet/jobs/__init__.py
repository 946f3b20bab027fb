"""Pairs to deblur: found, read, deblurred, written."""
