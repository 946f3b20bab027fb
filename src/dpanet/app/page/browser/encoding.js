// Values of a display (sRGB) and values proportional to light (IEC 61966-2-1), and what encoding a file states.
import { PictureError, text, viewOf } from "./bytes.js";

export function toLinear(value) {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

export function toSrgb(value) {
  return value <= 0.0031308 ? value * 12.92 : Math.max(value ** (1 / 2.4) * 1.055 - 0.055, 0.0031308 * 12.92);
}

/** A function that converts values from one encoding to another. */
export function converter(from, to) {
  if (from === to) return (value) => value;
  return to === "srgb" ? toSrgb : toLinear;
}

const REMEDY = "export it with sRGB or linear values";
const DISPLAY_GAMMAS = [1.7, 2.7];
const LINEAR_GAMMAS = [0.95, 1.05];
const DISPLAYS = [1, 4, 6, 7, 11, 12, 13, 14, 15];

/** Values between 0.15 and 0.9 at which a tone curve is compared with powers. */
const PROBES = Array.from({ length: 17 }, (_, i) => i / 16).filter((x) => x > 0.15 && x < 0.9);

/**
 * The encoding of a picture, and its profile if it is sound: "srgb", "linear", or null if the file states none.
 * @returns {{encoding: "srgb"|"linear"|null, icc: Uint8Array|null, notes: string[]}}
 */
export function statedEncoding(picture, name) {
  const { chunks } = picture;
  const notes = [];
  let icc = picture.icc;
  let encoding = chunks.cICP ? ofTransfer(chunks.cICP[1], name) : null;
  if (icc) {
    const tags = parseProfile(icc);
    const gray = tags && text(icc.subarray(16, 20)) === "GRAY";
    if (!tags || gray !== (picture.channels === 1)) {
      notes.push(`${name} has an ICC profile that is damaged or for another kind of picture; it is not carried over`);
      icc = null;
    }
    if (tags && (icc || picture.channels === 1)) encoding ??= ofProfile(tags, gray, name, notes);
  }
  if (!encoding && chunks.sRGB) encoding = "srgb";
  if (!encoding && chunks.gAMA?.length === 4) encoding = ofGamma(100000 / viewOf(chunks.gAMA).getUint32(0), name);
  return { encoding, icc, notes };
}

/** Codes of ITU-T H.273. */
function ofTransfer(code, name) {
  if (code === 2) return null;
  if (code === 8) return "linear";
  if (DISPLAYS.includes(code)) return "srgb";
  throw new PictureError(`${name} has values with the transfer function ${code} (such as PQ or HLG); ${REMEDY}`);
}

function ofGamma(gamma, name) {
  if (gamma >= DISPLAY_GAMMAS[0] && gamma <= DISPLAY_GAMMAS[1]) return "srgb";
  if (gamma >= LINEAR_GAMMAS[0] && gamma <= LINEAR_GAMMAS[1]) return "linear";
  throw new PictureError(`${name} states a gamma of ${gamma.toPrecision(3)}, neither linear nor a display's; ${REMEDY}`);
}

function ofProfile(tags, gray, name, notes) {
  const cicp = tags.cicp;
  if (cicp?.length >= 12 && cicp[9] !== 2) return ofTransfer(cicp[9], name);
  const curves = (gray ? ["kTRC"] : ["rTRC", "gTRC", "bTRC"]).map((key) => tags[key] && curveOf(tags[key]));
  if (curves.some((curve) => !curve)) {
    notes.push(`${name} has an ICC profile whose tone curve cannot be evaluated here; its values are taken as sRGB`);
    return "srgb";
  }
  const found = new Set(curves.map(classify));
  if (found.size === 1 && !found.has(null)) return [...found][0];
  throw new PictureError(
    `${name} has an ICC profile whose tone curve (PQ, HLG or another) is neither linear nor a display's; ${REMEDY}`,
  );
}

function classify(curve) {
  const light = PROBES.map(curve);
  if (light.some((value) => !(value > 0 && value < 1))) return null;
  const gammas = light.map((value, i) => Math.log(value) / Math.log(PROBES[i]));
  const within = ([low, high]) => gammas.every((gamma) => gamma >= low && gamma <= high);
  if (within(DISPLAY_GAMMAS)) return "srgb";
  return within(LINEAR_GAMMAS) ? "linear" : null;
}

/** Signature and data of the tags of an ICC profile; null if it is damaged or not of a gray or RGB device. */
export function parseProfile(icc) {
  const view = viewOf(icc);
  if (icc.length < 132 || text(icc.subarray(36, 40)) !== "acsp") return null;
  if (!["scnr", "mntr", "prtr", "spac"].includes(text(icc.subarray(12, 16)))) return null;
  if (!["RGB ", "GRAY"].includes(text(icc.subarray(16, 20)))) return null;
  const [size, count] = [view.getUint32(0), view.getUint32(128)];
  if (size > icc.length || !count || count > 100 || 132 + 12 * count > size) return null;
  const tags = {};
  for (let at = 132; at < 132 + 12 * count; at += 12) {
    const [start, length] = [view.getUint32(at + 4), view.getUint32(at + 8)];
    if (start < 128 || start + length > size) return null;
    tags[text(icc.subarray(at, at + 4))] = icc.subarray(start, start + length);
  }
  return tags;
}

/** The function of a tone curve (ICC.1, `curv` and `para`); null if it is of another kind or damaged. */
function curveOf(tag) {
  if (tag.length < 12) return null;
  const view = viewOf(tag);
  const kind = text(tag.subarray(0, 4));
  if (kind === "curv") {
    const count = view.getUint32(8);
    if (tag.length < 12 + 2 * count) return null;
    if (count === 0) return (x) => x;
    if (count === 1) return (x) => x ** (view.getUint16(12) / 256);
    return (x) => {
      const place = x * (count - 1);
      const i = Math.min(count - 2, Math.floor(place));
      const [low, high] = [view.getUint16(12 + 2 * i), view.getUint16(14 + 2 * i)];
      return (low + (place - i) * (high - low)) / 65535;
    };
  }
  const form = view.getUint16(8);
  const count = [1, 3, 4, 5, 7][form];
  if (kind !== "para" || !count || tag.length < 12 + 4 * count) return null;
  const [g, a = 1, b = 0, ...more] = Array.from({ length: count }, (_, i) => view.getInt32(12 + 4 * i) / 65536);
  if (form === 0) return (x) => x ** g;
  if (form < 3) {
    const offset = form === 2 ? more[0] : 0;
    return (x) => (x >= -b / a ? Math.max(a * x + b, 0) ** g + offset : offset);
  }
  const [c, d, e = 0, f = 0] = more;
  return (x) => (x >= d ? Math.max(a * x + b, 0) ** g + e : c * x + f);
}
