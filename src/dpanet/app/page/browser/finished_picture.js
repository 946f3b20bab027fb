// What becomes of an output: pictures for the page, and files to keep.
import { converter, toLinear, toSrgb } from "./encoding.js";
import { writePng } from "./png_write.js";
import { writeTiff } from "./tiff_write.js";
import { withScreenCurve } from "./values.js";

/** The combined view, the mean of both: height x width x 3 codes of 16 bits. */
export function combine(left, right) {
  const { width, height, channels, bits } = left;
  const scale = 65535 / (2 ** bits - 1) / 2;
  const result = new Uint16Array(width * height * 3);
  for (let i = 0, at = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      const from = channels === 3 ? 3 * i + c : i;
      result[at++] = Math.round((left.codes[from] + right.codes[from]) * scale);
    }
  }
  return result;
}

/**
 * Mix the combined view (strength 0) and an output (1) as a display takes their values; see deblurrer/control.py.
 * @param {Uint16Array} output - codes
 * @param {{places: Uint32Array, values: Float32Array}} beyond - of deblurPair
 * @param {Uint16Array} combined - codes
 */
export function mix(output, beyond, combined, strength, encoding) {
  if (strength === 1) return output;
  if (strength === 0) return combined;
  const linear = encoding === "linear";
  const mixOne = (one, other) => {
    if (linear) [one, other] = [toSrgb(one), toSrgb(other)];
    const mixed = other + strength * (one - other);
    return Math.min(65535, Math.max(0, Math.round((linear ? toLinear(mixed) : mixed) * 65535)));
  };
  const result = output.map((code, i) => mixOne(code / 65535, combined[i] / 65535));
  beyond.places.forEach((place, i) => {
    result[place] = mixOne(beyond.values[i], combined[place] / 65535);
  });
  return result;
}

/**
 * A PNG of 8 bits that a browser shows as the picture is meant: upright, and never linear.
 * @param {Uint16Array} codes - height x width x 3
 * @param about - what `aboutPicture` returned
 */
export async function writePreview(codes, about) {
  const { width, height, channels, encoding, orientation } = about;
  const convert = converter(encoding, "srgb");
  const table = Uint8Array.from({ length: 65536 }, (_, code) => Math.round(convert(code / 65535) * 255));
  const gray = channels === 1 ? toGray(codes) : codes;
  const [rows, columns] = orientation > 4 ? [width, height] : [height, width];
  const turned = new Uint8Array(rows * columns * channels);
  let at = 0;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const [row, column] = sourceOf(orientation, y, x, height, width);
      for (let c = 0; c < channels; c++) turned[at++] = table[gray[(row * width + column) * channels + c]];
    }
  }
  const icc = about.icc && encoding === "linear" ? await withScreenCurve(about.icc) : about.icc;
  return writePng({ width: columns, height: rows, channels, bits: 8, codes: turned, icc });
}

/** Row and column of the stored picture that an upright picture shows at (y, x); EXIF's tag Orientation. */
function sourceOf(orientation, y, x, height, width) {
  const [bottom, right] = [height - 1, width - 1];
  switch (orientation) {
    case 2: return [y, right - x];
    case 3: return [bottom - y, right - x];
    case 4: return [bottom - y, x];
    case 5: return [x, y];
    case 6: return [bottom - x, y];
    case 7: return [bottom - x, right - y];
    case 8: return [x, right - y];
    default: return [y, x];
  }
}

/** Gray codes, the mean of the channels. */
function toGray(codes) {
  return Uint16Array.from({ length: codes.length / 3 }, (_, i) => Math.round((codes[3 * i] + codes[3 * i + 1] + codes[3 * i + 2]) / 3));
}

/** A file of 16 bits a channel, stored as the views are turned, with their metadata. */
export async function writeFile(codes, about, kind) {
  const { channels, alpha } = about;
  const picture = { ...about, bits: 16, codes: channels === 1 ? toGray(codes) : codes };
  if (alpha && about.bits === 8) picture.alpha = Uint16Array.from(alpha, (code) => code * 257);
  if (kind === "png") return writePng(picture);
  if (!about.icc && about.encoding === "linear") picture.icc = await linearProfile(channels);
  return writeTiff(picture);
}

/** A TIFF has no other way to say that its values are linear. */
async function linearProfile(channels) {
  const name = channels === 1 ? "linear_gray.icc" : "linear_rgb.icc";
  const answer = await fetch(new URL(`../model/${name}`, import.meta.url));
  if (!answer.ok) throw new Error("The profile of linear values cannot be loaded; reload the page.");
  return new Uint8Array(await answer.arrayBuffer());
}
