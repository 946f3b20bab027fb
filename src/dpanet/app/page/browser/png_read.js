// Read PNG of every kind at its own depth. A browser's decoder would reduce 16 bits to 8 and convert colors.
import { PictureError, crc32, inflate, text, viewOf } from "./bytes.js";

const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const DEPTHS = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };

/** Chunks that state how the values are meant, or the resolution; they are carried over to a PNG. */
const CARRIED = ["cICP", "gAMA", "sRGB", "cHRM", "pHYs"];

/** First row and column, and step, of each pass of an interlaced file. */
const PASSES = [[0, 0, 8, 8], [0, 4, 8, 8], [4, 0, 8, 4], [0, 2, 4, 4], [2, 0, 4, 2], [0, 1, 2, 2], [1, 0, 2, 1]];

/**
 * @param {Uint8Array} bytes - of the file
 * @param {string} name - of the file, for errors
 * @param {(width: number, height: number) => void} check - throws if the size is not allowed
 * @returns a picture, see read_picture.js
 */
export async function readPng(bytes, name, check) {
  const damaged = `${name} is damaged or incomplete; export it again`;
  const { chunks, data, header } = parseChunks(bytes, damaged);
  const view = viewOf(header);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, kind, interlaced] = [header[8], header[9], header[12] === 1];
  if (!width || !height || !DEPTHS[kind]?.includes(depth)) throw new PictureError(damaged);
  check(width, height);
  if (!data.length || (kind === 3 && !chunks.PLTE)) throw new PictureError(damaged);

  const layout = { depth, channels: CHANNELS[kind] };
  const passes = interlaced ? PASSES : [[0, 0, 1, 1]];
  const parts = passes
    .map(([top, left, down, across]) => ({
      top, left, down, across,
      rows: Math.max(0, Math.ceil((height - top) / down)),
      columns: Math.max(0, Math.ceil((width - left) / across)),
    }))
    .filter((part) => part.rows && part.columns);
  const lineBytes = (columns) => Math.ceil((columns * layout.channels * depth) / 8);
  const total = parts.reduce((sum, part) => sum + part.rows * (1 + lineBytes(part.columns)), 0);
  const filtered = await inflate(data, total, damaged);

  const Codes = depth === 16 ? Uint16Array : Uint8Array;
  const samples = new Codes(width * height * layout.channels);
  let at = 0;
  for (const part of parts) {
    const stride = lineBytes(part.columns);
    const piece = filtered.subarray(at, at + part.rows * (1 + stride));
    unfilter(piece, part.rows, stride, Math.max(1, (layout.channels * depth) >> 3), damaged);
    spread(piece, stride, part, samples, width, layout);
    at += piece.length;
  }
  const picture = split(samples, width, height, kind, depth, chunks, damaged);
  const profile = chunks.iCCP && (await readProfile(chunks.iCCP));
  const stated = Object.fromEntries(CARRIED.filter((key) => chunks[key]).map((key) => [key, chunks[key]]));
  return { ...picture, width, height, icc: profile || null, exif: chunks.eXIf || null, chunks: stated };
}

function parseChunks(bytes, damaged) {
  const view = viewOf(bytes);
  const chunks = {};
  const data = [];
  let at = 8;
  let ended = false;
  while (!ended && at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) throw new PictureError(damaged);
    const kind = text(bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      throw new PictureError(damaged);
    }
    if (kind === "IDAT") data.push(content);
    else if (kind === "IEND") ended = true;
    else chunks[kind] ??= content;
    at += 12 + length;
  }
  if (!ended || chunks.IHDR?.length !== 13) throw new PictureError(damaged);
  return { chunks, data, header: chunks.IHDR };
}

/** Undo the filters of rows, in place; each row starts with the byte of its filter. */
function unfilter(piece, rows, stride, step, damaged) {
  let above = new Uint8Array(stride);
  for (let y = 0; y < rows; y++) {
    const start = y * (1 + stride);
    const row = piece.subarray(start + 1, start + 1 + stride);
    const filter = piece[start];
    if (filter === 1) {
      for (let x = step; x < stride; x++) row[x] += row[x - step];
    } else if (filter === 2) {
      for (let x = 0; x < stride; x++) row[x] += above[x];
    } else if (filter === 3) {
      for (let x = 0; x < step && x < stride; x++) row[x] += above[x] >> 1;
      for (let x = step; x < stride; x++) row[x] += (row[x - step] + above[x]) >> 1;
    } else if (filter === 4) {
      for (let x = 0; x < step && x < stride; x++) row[x] += above[x];
      for (let x = step; x < stride; x++) {
        const [a, b, c] = [row[x - step], above[x], above[x - step]];
        const p = Math.abs(b - c);
        const q = Math.abs(a - c);
        const r = Math.abs(a + b - 2 * c);
        row[x] += p <= q && p <= r ? a : q <= r ? b : c;
      }
    } else if (filter !== 0) {
      throw new PictureError(damaged);
    }
    above = row;
  }
}

/** Put the samples of a pass to their places, as numbers of the file. */
function spread(piece, stride, part, samples, width, { depth, channels }) {
  for (let y = 0; y < part.rows; y++) {
    const row = piece.subarray(y * (1 + stride) + 1, (y + 1) * (1 + stride));
    let target = ((part.top + y * part.down) * width + part.left) * channels;
    const gap = (part.across - 1) * channels;
    let at = 0;
    for (let x = 0; x < part.columns; x++) {
      for (let c = 0; c < channels; c++) {
        if (depth === 16) samples[target++] = (row[2 * at] << 8) | row[2 * at + 1];
        else if (depth === 8) samples[target++] = row[at];
        else samples[target++] = (row[(at * depth) >> 3] >> (8 - depth - ((at * depth) & 7))) & ((1 << depth) - 1);
        at++;
      }
      target += gap;
    }
  }
}

/** Separate color and alpha; apply the palette; scale gray of fewer than 8 bits to 8. */
function split(samples, width, height, kind, depth, chunks, damaged) {
  const size = width * height;
  const Codes = samples.constructor;
  const bits = depth === 16 ? 16 : 8;
  const white = 2 ** bits - 1;
  let codes = samples;
  let alpha = null;
  let channels = CHANNELS[kind];
  if (kind === 3) {
    const palette = chunks.PLTE;
    codes = new Uint8Array(size * 3);
    if (chunks.tRNS) alpha = new Uint8Array(size);
    for (let i = 0; i < size; i++) {
      const entry = samples[i];
      if (3 * entry + 2 >= palette.length) throw new PictureError(damaged);
      for (let c = 0; c < 3; c++) codes[3 * i + c] = palette[3 * entry + c];
      if (alpha) alpha[i] = chunks.tRNS[entry] ?? 255;
    }
    channels = 3;
  } else if (kind === 4 || kind === 6) {
    channels -= 1;
    codes = new Codes(size * channels);
    alpha = new Codes(size);
    for (let i = 0, from = 0, to = 0; i < size; i++) {
      for (let c = 0; c < channels; c++) codes[to++] = samples[from++];
      alpha[i] = samples[from++];
    }
  } else if (chunks.tRNS) {
    if (chunks.tRNS.length < 2 * channels) throw new PictureError(damaged);
    const key = viewOf(chunks.tRNS);
    alpha = new Codes(size).fill(white);
    for (let i = 0; i < size; i++) {
      let same = true;
      for (let c = 0; c < channels; c++) same &&= samples[i * channels + c] === key.getUint16(2 * c);
      if (same) alpha[i] = 0;
    }
  }
  if (kind === 0 && depth < 8) codes = samples.map((code) => (code * 255) / (2 ** depth - 1));
  return { codes, alpha, channels, bits };
}

/** The ICC profile of a chunk iCCP; undefined if it is damaged. */
async function readProfile(chunk) {
  const end = chunk.indexOf(0);
  try {
    return await inflate([chunk.subarray(end + 2)], 16 << 20, "damaged", true);
  } catch {
    return undefined;
  }
}
