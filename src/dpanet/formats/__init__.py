"""The formats of pictures: PNG, TIFF, JPEG, WebP, AVIF and PGM."""
