/** Pixels of the largest picture: that of a camera of 30 megapixels, with some margin. */
export const MAX_PIXELS = 32_000_000;
