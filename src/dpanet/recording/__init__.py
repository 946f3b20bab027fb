"""How light becomes the values of a file: noise, whole steps, encoding, development, compression."""
