"""The two operations everything rests on: correlation and deformable convolution."""
