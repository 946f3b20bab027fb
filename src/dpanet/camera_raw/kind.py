"""Tell raw files of cameras from pictures, by their content."""

from dpanet.containers.raw_file import is_cr3, is_raw_file

__all__ = ["is_cr3", "is_raw_file"]
