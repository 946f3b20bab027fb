// Write TIFF of 8 or 16 bits: strips compressed with deflate, the ICC profile and the EXIF of its picture.
import { deflate, viewOf } from "./bytes.js";
import { describe, parseDirectories, writeDirectories } from "./exif.js";

const STRIP_BYTES = 1 << 20;

/** Argument as of `writePng`. The byte order is that of the EXIF data, whose values stay as they are. */
export async function writeTiff(picture) {
  const { width, height, channels, bits, alpha, icc, exif } = picture;
  const described = (exif && describe(parseDirectories(exif))) || { little: true, main: [], photo: [], gps: [], interop: [] };
  const { little } = described;
  const samples = channels + (alpha ? 1 : 0);
  const rowBytes = (width * samples * bits) / 8;
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP_BYTES / rowBytes)));
  const header = Uint8Array.from(little ? [0x49, 0x49, 42, 0, 0, 0, 0, 0] : [0x4d, 0x4d, 0, 42, 0, 0, 0, 0]);
  const parts = [header];
  const places = [];
  const lengths = [];
  let end = header.length;
  for (let top = 0; top < height; top += rows) {
    const strip = await deflate(differences(picture, top, Math.min(rows, height - top), samples, little));
    parts.push(strip);
    places.push(end);
    lengths.push(strip.length);
    end += strip.length;
    if (end % 2) {
      parts.push(new Uint8Array(1));
      end += 1;
    }
  }
  const tag = (number, kind, ...values) => makeTag(number, kind, values, little);
  const structure = [
    tag(256, 4, width), tag(257, 4, height), tag(258, 3, ...Array(samples).fill(bits)), tag(259, 3, 8),
    tag(262, 3, channels === 3 ? 2 : 1), tag(273, 4, ...places), tag(277, 3, samples), tag(278, 4, rows),
    tag(279, 4, ...lengths), tag(284, 3, 1), tag(317, 3, 2), tag(339, 3, ...Array(samples).fill(1)),
    ...(alpha ? [tag(338, 3, 2)] : []),
    ...(icc ? [{ number: 34675, kind: 7, count: icc.length, data: icc }] : []),
  ];
  viewOf(header).setUint32(4, end, little);
  parts.push(writeDirectories(described, structure, end));
  return new Blob(parts, { type: "image/tiff" });
}

function makeTag(number, kind, values, little) {
  const data = new Uint8Array(values.length * (kind === 3 ? 2 : 4));
  const view = viewOf(data);
  values.forEach((value, i) => (kind === 3 ? view.setUint16(2 * i, value, little) : view.setUint32(4 * i, value, little)));
  return { number, kind, count: values.length, data };
}

/** Samples of some rows as differences from the pixel on the left, in the byte order of the file. */
function differences({ width, channels, bits, codes, alpha }, top, rows, samples, little) {
  const result = new Uint8Array((rows * width * samples * bits) / 8);
  let at = 0;
  for (let y = top; y < top + rows; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      for (let c = 0; c < samples; c++) {
        const color = c < channels;
        const code = color ? codes[pixel * channels + c] : alpha[pixel];
        const before = x === 0 ? 0 : color ? codes[(pixel - 1) * channels + c] : alpha[pixel - 1];
        const difference = code - before;
        if (bits === 8) {
          result[at++] = difference;
        } else {
          result[at] = little ? difference : difference >> 8;
          result[at + 1] = little ? difference >> 8 : difference;
          at += 2;
        }
      }
    }
  }
  return result;
}
