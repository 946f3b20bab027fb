"""Dual-pixel defocus deblurring."""

__version__ = "0.1.0"
