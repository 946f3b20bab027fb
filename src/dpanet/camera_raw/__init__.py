"""Raw files of dual-pixel cameras: two frames in, a pair of developed views out."""
