// Read TIFF of 8 and 16 bits: gray or RGB, strips or tiles; uncompressed, LZW, deflate or PackBits.
import { PictureError, inflate, viewOf } from "./bytes.js";
import { describe, numbersOf, parseDirectories, serializeExif } from "./exif.js";

const LZW = 5;
const DEFLATE = [8, 32946];
const PACK_BITS = 32773;
const REMEDY = "export it as 16-bit RGB TIFF or PNG";

/** Arguments and result as of `readPng`. */
export async function readTiff(bytes, name, check) {
  const damaged = `${name} is damaged or incomplete; export it again`;
  const directories = parseDirectories(bytes);
  if (!directories) throw new PictureError(damaged);
  const layout = readLayout(directories, name, damaged);
  check(layout.width, layout.height);
  const samples = await readSamples(bytes, layout, directories.little, damaged);
  const { width, height, bits, channels, extra } = layout;
  let codes = samples;
  let alpha = null;
  if (extra) {
    const size = width * height;
    codes = new samples.constructor(size * channels);
    alpha = new samples.constructor(size);
    for (let i = 0, from = 0, to = 0; i < size; i++) {
      for (let c = 0; c < channels; c++) codes[to++] = samples[from++];
      alpha[i] = samples[from++];
    }
  }
  const described = describe(directories);
  const notes = directories.next ? [`${name} has more than one picture; the first is read`] : [];
  if (described.lost.length) notes.push(`${described.lost[0]} of ${name} is not carried over`);
  const icc = directories.main.find((tag) => tag.number === 34675)?.data ?? null;
  return { width, height, channels, bits, codes, alpha, icc, exif: serializeExif(described), chunks: {}, notes };
}

function readLayout({ main, little }, name, damaged) {
  const values = (number, otherwise) => {
    const tag = main.find((one) => one.number === number);
    if (!tag) return otherwise;
    try {
      return numbersOf(tag, little);
    } catch {
      throw new PictureError(damaged);
    }
  };
  const [width] = values(256, [0]);
  const [height] = values(257, [0]);
  const samples = values(277, [1])[0];
  const depths = values(258, [1]);
  const [photometric] = values(262, [-1]);
  const [compression] = values(259, [1]);
  const extras = values(338, []);
  const bits = depths[0];
  const channels = photometric === 2 ? 3 : 1;
  const extra = samples - channels;
  const tiled = main.some((tag) => tag.number === 322);
  const refuse = (what) => {
    throw new PictureError(`${name} ${what}, which this page cannot read; ${REMEDY}`);
  };
  if (!width || !height) throw new PictureError(damaged);
  if (values(339, [1]).some((format) => format !== 1)) refuse("has floating-point or signed values");
  if (![8, 16].includes(bits) || depths.some((depth) => depth !== bits)) refuse(`has ${depths.join(", ")} bits a channel`);
  if (![1, 2].includes(photometric)) refuse("is neither gray (black is 0) nor RGB");
  if (![0, 1].includes(extra) || (extra && extras[0] === 1)) refuse("has further channels or premultiplied alpha");
  if (values(284, [1])[0] !== 1 && samples > 1) refuse("stores each channel apart");
  if (![1, LZW, ...DEFLATE, PACK_BITS].includes(compression)) refuse(`has the compression ${compression}`);
  const predictor = values(317, [1])[0];
  if (![1, 2].includes(predictor)) refuse(`has the predictor ${predictor}`);
  const partWidth = tiled ? values(322)[0] : width;
  const partHeight = tiled ? values(323, [0])[0] : Math.min(values(278, [height])[0], height);
  const places = values(tiled ? 324 : 273, []);
  const lengths = values(tiled ? 325 : 279, []);
  const count = Math.ceil(width / partWidth) * Math.ceil(height / partHeight);
  if (!(partWidth && partHeight) || places.length < count || lengths.length < count) throw new PictureError(damaged);
  return { width, height, samples, channels, extra, bits, compression, predictor, tiled, partWidth, partHeight, places, lengths };
}

async function readSamples(bytes, layout, little, damaged) {
  const { width, height, samples, bits, partWidth, partHeight, places, lengths } = layout;
  const result = new (bits === 16 ? Uint16Array : Uint8Array)(width * height * samples);
  const across = Math.ceil(width / partWidth);
  const size = bits / 8;
  for (let i = 0; i < across * Math.ceil(height / partHeight); i++) {
    const [top, left] = [Math.floor(i / across) * partHeight, (i % across) * partWidth];
    const rows = layout.tiled ? partHeight : Math.min(partHeight, height - top);
    if (places[i] + lengths[i] > bytes.length) throw new PictureError(damaged);
    const packed = bytes.subarray(places[i], places[i] + lengths[i]);
    const raw = await unpack(packed, rows * partWidth * samples * size, layout.compression, damaged);
    const part = decode(raw, rows, partWidth * samples, samples, size, layout.predictor, little);
    const columns = Math.min(partWidth, width - left) * samples;
    for (let y = 0; y < Math.min(rows, height - top); y++) {
      const row = part.subarray(y * partWidth * samples, y * partWidth * samples + columns);
      result.set(row, ((top + y) * width + left) * samples);
    }
  }
  return result;
}

async function unpack(packed, length, compression, damaged) {
  if (DEFLATE.includes(compression)) return inflate([packed], length, damaged);
  if (compression === LZW) return unpackLzw(packed, length, damaged);
  if (compression === PACK_BITS) return unpackBits(packed, length, damaged);
  if (packed.length < length) throw new PictureError(damaged);
  return packed.subarray(0, length);
}

/** Bytes of a strip as numbers, the predictor undone. */
function decode(raw, rows, rowSamples, samples, size, predictor, little) {
  const part = size === 2 ? new Uint16Array(rows * rowSamples) : Uint8Array.from(raw);
  if (size === 2) {
    const [low, high] = little ? [0, 1] : [1, 0];
    for (let i = 0; i < part.length; i++) part[i] = raw[2 * i + low] | (raw[2 * i + high] << 8);
  }
  if (predictor === 2) {
    for (let y = 0; y < rows; y++) {
      const end = (y + 1) * rowSamples;
      for (let i = y * rowSamples + samples; i < end; i++) part[i] += part[i - samples];
    }
  }
  return part;
}

function unpackBits(packed, length, damaged) {
  const result = new Uint8Array(length);
  let filled = 0;
  for (let at = 0; at < packed.length && filled < length; ) {
    const code = packed[at++];
    if (code === 128) continue;
    const count = code < 128 ? code + 1 : 257 - code;
    if (filled + count > length || at + (code < 128 ? count : 1) > packed.length) throw new PictureError(damaged);
    if (code < 128) result.set(packed.subarray(at, at + count), filled);
    else result.fill(packed[at], filled, filled + count);
    at += code < 128 ? count : 1;
    filled += count;
  }
  if (filled < length) throw new PictureError(damaged);
  return result;
}

/** TIFF 6, section 13: codes of 9 to 12 bits, most significant bit first, that grow one code early. */
function unpackLzw(packed, length, damaged) {
  const result = new Uint8Array(length);
  // The string of a code is that at an earlier place of the result, so that no table of strings is needed.
  const places = new Uint32Array(4097);
  const lengths = new Uint32Array(4097);
  let [filled, next, width, previous, buffer, available] = [0, 258, 9, -1, 0, 0];
  let previousPlace = 0;
  for (let at = 0; filled < length; ) {
    while (available < width) {
      if (at >= packed.length) throw new PictureError(damaged);
      buffer = ((buffer << 8) | packed[at++]) & 0xffffff;
      available += 8;
    }
    available -= width;
    const code = (buffer >> available) & ((1 << width) - 1);
    if (code === 257) break;
    if (code === 256) {
      [next, width, previous] = [258, 9, -1];
      continue;
    }
    const start = filled;
    let count = 1;
    if (code < 256) {
      result[filled++] = code;
    } else {
      if (code > next || previous < 0 || (code === next && next > 4095)) throw new PictureError(damaged);
      const from = code < next ? places[code] : previousPlace;
      count = code < next ? lengths[code] : start - previousPlace + 1;
      if (start + count > length) throw new PictureError(damaged);
      for (let i = 0; i < count; i++) result[filled++] = result[from + i];
    }
    if (previous >= 0 && next < 4096) {
      places[next] = previousPlace;
      lengths[next] = start - previousPlace + 1;
      next++;
      if (next + 1 >= 1 << width && width < 12) width++;
    }
    previous = code;
    previousPlace = start;
  }
  if (filled < length) throw new PictureError(damaged);
  return result;
}
