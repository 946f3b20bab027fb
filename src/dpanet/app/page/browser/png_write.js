// Write PNG of 8 or 16 bits with the color and the EXIF of its picture.
import { ascii, crc32, deflate, join, viewOf } from "./bytes.js";

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/**
 * @param {{width: number, height: number, channels: 1|3, bits: 8|16, codes: Uint8Array|Uint16Array,
 *   alpha?: Uint8Array|Uint16Array|null, icc?: Uint8Array|null, exif?: Uint8Array|null, chunks?: object}} picture
 * @returns {Promise<Blob>}
 */
export async function writePng(picture) {
  const { width, height, channels, bits, alpha, icc, exif, chunks = {} } = picture;
  const header = new Uint8Array(13);
  viewOf(header).setUint32(0, width);
  viewOf(header).setUint32(4, height);
  header[8] = bits;
  header[9] = (channels === 3 ? 2 : 0) + (alpha ? 4 : 0);
  const parts = [SIGNATURE, ...chunk("IHDR", header)];
  for (const key of ["cICP", "cHRM", "gAMA", "sRGB"]) {
    if (chunks[key] && !(icc && key === "sRGB")) parts.push(...chunk(key, chunks[key]));
  }
  if (icc) parts.push(...chunk("iCCP", join(ascii("profile\0\0"), await deflate(icc))));
  if (chunks.pHYs) parts.push(...chunk("pHYs", chunks.pHYs));
  if (exif) parts.push(...chunk("eXIf", exif));
  parts.push(...chunk("IDAT", await deflate(filter(picture))), ...chunk("IEND", new Uint8Array(0)));
  return new Blob(parts, { type: "image/png" });
}

function chunk(kind, content) {
  const name = ascii(kind);
  const [length, crc] = [new Uint8Array(4), new Uint8Array(4)];
  viewOf(length).setUint32(0, content.length);
  viewOf(crc).setUint32(0, crc32(name, content));
  return [length, name, content, crc];
}

/** Rows of big-endian samples as differences from the pixel on the left (filter 1) or above (2), by turns tried. */
function filter({ width, height, channels, bits, codes, alpha }) {
  const samples = channels + (alpha ? 1 : 0);
  const size = bits / 8;
  const step = samples * size;
  const stride = width * step;
  const result = new Uint8Array(height * (1 + stride));
  let row = new Uint8Array(stride);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    let at = 0;
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      for (let c = 0; c < samples; c++) {
        const code = c < channels ? codes[pixel * channels + c] : alpha[pixel];
        if (size === 2) row[at++] = code >> 8;
        row[at++] = code & 255;
      }
    }
    const start = y * (1 + stride);
    result[start] = y ? 2 : 1;
    const target = result.subarray(start + 1, start + 1 + stride);
    if (y) for (let x = 0; x < stride; x++) target[x] = row[x] - above[x];
    else for (let x = 0; x < stride; x++) target[x] = row[x] - (x < step ? 0 : row[x - step]);
    [row, above] = [above, row];
  }
  return result;
}
