"""Alignment: tensors in, tensors out. Knows torch, never files of pictures."""
