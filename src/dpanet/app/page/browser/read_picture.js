// Read a picture of any format that this page knows, right, or refuse it in one sentence; and check a pair.
import { PictureError, text } from "./bytes.js";
import { readJpeg, readWebp } from "./browser_decoder.js";
import { statedEncoding } from "./encoding.js";
import { orientationOf } from "./exif.js";
import { MAX_PIXELS } from "./limits.js";
import { readPng } from "./png_read.js";
import { readTiff } from "./tiff_read.js";
import { notesOnScale } from "./value_scale.js";

const SMALLEST_SIDE = 16;

/**
 * @typedef {Object} Picture
 * @property {string} name - of the file
 * @property {number} width - px
 * @property {number} height - px
 * @property {1|3} channels - gray or RGB
 * @property {8|16} bits - a channel
 * @property {Uint8Array|Uint16Array} codes - of the file, row by row, channels beside each other
 * @property {Uint8Array|Uint16Array|null} alpha - straight
 * @property {Uint8Array|null} icc - profile
 * @property {Uint8Array|null} exif - bare TIFF structure
 * @property {Object<string, Uint8Array>} chunks - of a PNG, that state its colors and resolution
 * @property {"srgb"|"linear"|null} encoding - that the file states
 * @property {string[]} notes - for the visitor
 */

/** @returns {Promise<Picture>} */
export async function readPicture(file) {
  const { name } = file;
  let bytes;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new PictureError(`${name} cannot be read; choose it again`);
  }
  if (!bytes.length) throw new PictureError(`${name} is empty; export or copy it again`);
  const read = readerOf(bytes, name);
  const picture = await read(bytes, name, (width, height) => checkSize(width, height, name));
  const stated = statedEncoding(picture, name);
  const notes = [...(picture.notes ?? []), ...stated.notes, ...notesOnScale({ ...picture, ...stated }, name)];
  return { ...picture, ...stated, name, notes };
}

function readerOf(bytes, name) {
  const start = text(bytes.subarray(0, 12));
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return readPng;
  if (start.startsWith("\xff\xd8\xff")) return readJpeg;
  if (start.startsWith("RIFF") && start.slice(8) === "WEBP") return readWebp;
  if (text(bytes.subarray(8, 10)) === "CR" || start.slice(4) === "ftypcrx ") {
    throw new PictureError(`${name} is a camera's raw file, which this page cannot read; deblur it with the program dpanet`);
  }
  if (/^(II\*\0|MM\0\*)/.test(start)) return readTiff;
  throw new PictureError(`${name} is no PNG, TIFF, JPEG or WebP; export both views as one of these`);
}

function checkSize(width, height, name) {
  if (Math.min(width, height) < SMALLEST_SIDE) {
    throw new PictureError(`${name} is ${width} x ${height} px; at least ${SMALLEST_SIDE} px a side are needed`);
  }
  if (width * height > MAX_PIXELS) {
    throw new PictureError(
      `${name} is ${width} x ${height} px; at most ${MAX_PIXELS / 1e6} megapixels fit in a page, so crop it or use the program dpanet`,
    );
  }
}

/** Throws unless two views agree in all that makes them views of one exposure. */
export function checkPair(left, right) {
  const compare = (describe, remedy) => {
    const [one, other] = [describe(left), describe(right)];
    if (one !== other) throw new PictureError(`${left.name} is ${one} and ${right.name} is ${other}; ${remedy}`);
  };
  compare(({ width, height }) => `${width} x ${height} px`, "give the two views of the same capture");
  compare((view) => `of EXIF orientation ${orientationOf(view.exif)}`, "export both views unturned, in one way");
  compare(({ bits }) => `${bits}-bit`, "export both views at one depth");
  compare(({ channels }) => (channels === 1 ? "gray" : "in color"), "export both views alike");
  compare((view) => `encoded as ${view.encoding ?? "srgb"}`, "export both views alike");
  if (!sameProfile(left.icc, right.icc)) {
    throw new PictureError(`${left.name} and ${right.name} have different ICC profiles; export both views with one profile`);
  }
}

/** Whether two profiles are alike but for what differs from export to export: date, identifier, programs. */
function sameProfile(one, other) {
  if (!one || !other) return one === other;
  if (one.length !== other.length) return false;
  const ignored = (i) => i < 8 || (i >= 24 && i < 36) || (i >= 40 && i < 44) || (i >= 80 && i < 100);
  return one.every((byte, i) => ignored(i) || byte === other[i]);
}
