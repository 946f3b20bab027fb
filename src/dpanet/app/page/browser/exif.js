// Take EXIF apart and write it again, at the level of bytes: values stay as they are in the file.
import { PictureError, viewOf } from "./bytes.js";

const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const PHOTO = 34665;
const GPS = 34853;
const INTEROP = 40965;
const MAKER_NOTE = 37500;

/** Tags of a TIFF's first directory that say what a photograph shows and with what it was taken; see TIFF 6, EXIF 3. */
const DESCRIPTIVE = new Set([
  269, 270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 316, 33432, 40091, 40092, 40093, 40094, 40095,
]);

/**
 * The directories of a TIFF or EXIF structure.
 * @param {Uint8Array} bytes
 * @returns {{little: boolean, main: Tag[], photo: Tag[], gps: Tag[], interop: Tag[], next: number} | null}
 *   null if it is none; Tag is {number, kind, count, data}
 */
export function parseDirectories(bytes) {
  if (bytes.length < 8) return null;
  const little = bytes[0] === 0x49;
  const view = viewOf(bytes);
  if (bytes[0] !== bytes[1] || ![0x49, 0x4d].includes(bytes[0]) || view.getUint16(2, little) !== 42) return null;
  const first = parseDirectory(view, bytes, view.getUint32(4, little), little);
  if (!first) return null;
  const follow = (tags, number) => {
    const pointer = tags.find((tag) => tag.number === number && tag.kind === 4);
    if (!pointer) return [];
    return parseDirectory(view, bytes, viewOf(pointer.data).getUint32(0, little), little)?.tags ?? [];
  };
  const photo = follow(first.tags, PHOTO);
  return {
    little,
    main: first.tags,
    photo: photo.filter((tag) => tag.number !== INTEROP),
    gps: follow(first.tags, GPS),
    interop: follow(photo, INTEROP),
    next: first.next,
  };
}

function parseDirectory(view, bytes, start, little) {
  if (start < 8 || start + 2 > bytes.length) return null;
  const count = view.getUint16(start, little);
  if (start + 2 + 12 * count > bytes.length) return null;
  const tags = [];
  for (let i = 0; i < count; i++) {
    const at = start + 2 + 12 * i;
    const [number, kind, values] = [view.getUint16(at, little), view.getUint16(at + 2, little), view.getUint32(at + 4, little)];
    const length = (SIZES[kind] ?? 0) * values;
    const place = length > 4 ? view.getUint32(at + 8, little) : at + 8;
    if (!length || place + length > bytes.length) continue;
    tags.push({ number, kind, count: values, data: bytes.subarray(place, place + length) });
  }
  const end = start + 2 + 12 * count;
  return { tags, next: end + 4 <= bytes.length ? view.getUint32(end, little) : 0 };
}

/**
 * What of a structure describes the photograph and can be written to another file. Maker notes are left out: their
 * offsets are valid only at their old place.
 * @returns {{little, main, photo, gps, interop, lost: string[]} | null}
 */
export function describe(directories) {
  if (!directories) return null;
  const { little, photo, gps, interop } = directories;
  const main = directories.main.filter((tag) => DESCRIPTIVE.has(tag.number));
  const kept = photo.filter((tag) => tag.number !== MAKER_NOTE);
  const lost = kept.length < photo.length ? ["the maker's note of the EXIF data"] : [];
  return { little, main, photo: kept, gps, interop, lost };
}

/** The EXIF block of described directories, for a PNG; null if there is nothing in it. */
export function serializeExif(described) {
  if (!described || !(described.main.length + described.photo.length + described.gps.length)) return null;
  const { little } = described;
  const body = writeDirectories(described, [], 8);
  const result = new Uint8Array(8 + body.length);
  result.set(little ? [0x49, 0x49, 42, 0, 8, 0, 0, 0] : [0x4d, 0x4d, 0, 42, 0, 0, 0, 8]);
  result.set(body, 8);
  return result;
}

/**
 * Directories as bytes that start at the offset `base` of a file; the first is the main one.
 * @param described - as of `describe`
 * @param {Tag[]} structure - further tags of the main directory
 */
export function writeDirectories(described, structure, base) {
  const { little } = described;
  const pointer = (number) => ({ number, kind: 4, count: 1, data: new Uint8Array(4), to: null });
  const [toPhoto, toGps, toInterop] = [pointer(PHOTO), pointer(GPS), pointer(INTEROP)];
  const replaced = new Set(structure.map((tag) => tag.number));
  const photo = [...described.photo, ...(described.interop.length ? [toInterop] : [])];
  const directories = [
    [...described.main.filter((tag) => !replaced.has(tag.number)), ...structure,
      ...(photo.length ? [toPhoto] : []), ...(described.gps.length ? [toGps] : [])],
    photo, described.gps, described.interop,
  ];
  const lengths = directories.map((tags) => (tags.length ? 6 + 12 * tags.length + tags.reduce((sum, tag) => sum + outside(tag), 0) : 0));
  const starts = lengths.map((_, i) => base + lengths.slice(0, i).reduce((sum, length) => sum + length, 0));
  [toPhoto, toGps, toInterop].forEach((tag, i) => viewOf(tag.data).setUint32(0, starts[i + 1], little));

  const result = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  const view = viewOf(result);
  directories.forEach((tags, i) => {
    if (!tags.length) return;
    let at = starts[i] - base;
    let free = at + 6 + 12 * tags.length;
    view.setUint16(at, tags.length, little);
    at += 2;
    for (const tag of [...tags].sort((a, b) => a.number - b.number)) {
      view.setUint16(at, tag.number, little);
      view.setUint16(at + 2, tag.kind, little);
      view.setUint32(at + 4, tag.count, little);
      if (tag.data.length <= 4) {
        result.set(tag.data, at + 8);
      } else {
        view.setUint32(at + 8, base + free, little);
        result.set(tag.data, free);
        free += outside(tag);
      }
      at += 12;
    }
  });
  return result;
}

/** Bytes that a tag takes outside of its entry, rounded up to even. */
function outside(tag) {
  return tag.data.length <= 4 ? 0 : tag.data.length + (tag.data.length % 2);
}

/** The numbers of a tag of the types BYTE, SHORT or LONG. */
export function numbersOf(tag, little) {
  const view = viewOf(tag.data);
  const read = { 1: (i) => view.getUint8(i), 3: (i) => view.getUint16(2 * i, little), 4: (i) => view.getUint32(4 * i, little) }[tag.kind];
  if (!read) throw new PictureError(`tag ${tag.number} has the type ${tag.kind}`);
  return Array.from({ length: tag.count }, (_, i) => read(i));
}

/** The value of the tag Orientation, 1 if there is none. */
export function orientationOf(exif) {
  const directories = exif && parseDirectories(exif);
  const tag = directories?.main.find((one) => one.number === 274 && one.kind === 3);
  return tag ? viewOf(tag.data).getUint16(0, directories.little) : 1;
}
