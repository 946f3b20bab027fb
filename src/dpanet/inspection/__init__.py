"""Whether two files are a usable dual-pixel pair: what they state, what is measured on them, a verdict."""
