// Read JPEG and WebP with the browser's own decoder, after removing all that makes it turn or convert the picture.
import { PictureError, ascii, join, text, viewOf } from "./bytes.js";

/** Arguments and result as of `readPng`. */
export async function readJpeg(bytes, name, check) {
  const damaged = `${name} is damaged or incomplete; export it again`;
  const view = viewOf(bytes);
  const kept = [bytes.subarray(0, 2)];
  const profile = [];
  let exif = null;
  let frame = null;
  let at = 2;
  for (;;) {
    if (at + 4 > bytes.length || bytes[at] !== 0xff) throw new PictureError(damaged);
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const end = at + 2 + view.getUint16(at + 2);
    if (end > bytes.length || end < at + 4) throw new PictureError(damaged);
    const content = bytes.subarray(at + 4, end);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame && content.length >= 6) frame = content;
    if (marker === 0xe1 && text(content.subarray(0, 6)) === "Exif\0\0") exif = content.subarray(6);
    if (marker === 0xe2 && text(content.subarray(0, 12)) === "ICC_PROFILE\0") {
      profile[content[12]] = content.subarray(14);
    }
    // The color transform of Adobe's segment (0xee) belongs to the pixels; EXIF turns them, a profile converts them.
    if (!(marker >= 0xe1 && marker <= 0xef) || marker === 0xee) kept.push(bytes.subarray(at, end));
    at = end;
    if (marker === 0xda) break;
  }
  if (!frame) throw new PictureError(damaged);
  if (frame[0] !== 8) throw new PictureError(`${name} has ${frame[0]} bits a channel, which browsers cannot decode; export it as PNG or TIFF`);
  if (![1, 3].includes(frame[5])) throw new PictureError(`${name} is in CMYK; export it in RGB`);
  const [height, width] = [viewOf(frame).getUint16(1), viewOf(frame).getUint16(3)];
  check(width, height);
  const file = new Blob([...kept, bytes.subarray(at)], { type: "image/jpeg" });
  const codes = await decode(file, width, height, frame[5], damaged);
  const icc = profile.length ? join(...profile.filter(Boolean)) : null;
  return { width, height, channels: frame[5], bits: 8, codes, alpha: null, icc, exif, chunks: {} };
}

/** Arguments and result as of `readPng`. */
export async function readWebp(bytes, name, check) {
  const damaged = `${name} is damaged or incomplete; export it again`;
  const view = viewOf(bytes);
  const chunks = {};
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    if (at + 8 + length > bytes.length) throw new PictureError(damaged);
    chunks[text(bytes.subarray(at, at + 4))] ??= bytes.subarray(at, at + 8 + length);
    at += 8 + length + (length % 2);
  }
  if (chunks.ANMF || chunks.ANIM) throw new PictureError(`${name} is an animation; give a single picture`);
  if (chunks.ALPH || (chunks["VP8L"] && chunks["VP8L"][12] & 0x10)) {
    throw new PictureError(`${name} has an alpha channel, which browsers do not decode exactly; export it without`);
  }
  const pixels = chunks["VP8 "] ?? chunks.VP8L;
  if (!pixels) throw new PictureError(damaged);
  const body = join(ascii("WEBP"), pixels, new Uint8Array(pixels.length % 2));
  const size = new Uint8Array(4);
  viewOf(size).setUint32(0, body.length, true);
  const file = new Blob([ascii("RIFF"), size, body], { type: "image/webp" });
  const bitmap = await open(file, damaged);
  const { width, height } = bitmap;
  bitmap.close();
  check(width, height);
  const codes = await decode(file, width, height, 3, damaged);
  const content = (chunk) => (chunk ? chunk.subarray(8) : null);
  return { width, height, channels: 3, bits: 8, codes, alpha: null, icc: content(chunks.ICCP), exif: content(chunks.EXIF), chunks: {} };
}

async function open(file, damaged) {
  try {
    return await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new PictureError(damaged);
  }
}

async function decode(file, width, height, channels, damaged) {
  const bitmap = await open(file, damaged);
  if (bitmap.width !== width || bitmap.height !== height) throw new PictureError(damaged);
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const codes = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < channels; c++) codes[i * channels + c] = data[4 * i + c];
  }
  return codes;
}
