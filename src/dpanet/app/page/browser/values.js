// A linear picture as on a screen: its values, and all that its file says of them; the rules are those of
// dpanet/containers/written_metadata.py.
import { text, viewOf } from "./bytes.js";
import { parseProfile, toSrgb } from "./encoding.js";

const STATED = ["cHRM", "gAMA", "sRGB"];
const SRGB_PRIMARIES = [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000];

/** Whether a chunk cHRM states the colors of sRGB. */
export function isSrgbColors(chunk) {
  return chunk?.length === 32 && SRGB_PRIMARIES.every((value, i) => Math.abs(viewOf(chunk).getUint32(4 * i) - value) <= 200);
}

/**
 * Convert a linear picture to sRGB.
 * @param {Uint16Array} codes - height x width x 3
 * @param about - what `aboutPicture` returned
 * @returns {Promise<{codes: Uint16Array, about: object}>}
 */
export async function asOnScreen(codes, about) {
  const table = Uint16Array.from({ length: 65536 }, (_, code) => Math.round(toSrgb(code / 65535) * 65535));
  const icc = about.icc && (await withScreenCurve(about.icc));
  return { codes: codes.map((code) => table[code]), about: { ...about, encoding: "srgb", icc, chunks: ofScreen(about.chunks) } };
}

/** The chunks of a PNG that state colors, for sRGB values of the same colors. */
function ofScreen(chunks) {
  const result = { ...chunks };
  const { cICP, cHRM } = chunks;
  if (cICP) result.cICP = Uint8Array.of(cICP[0], 13, 0, 1);
  if (!STATED.some((key) => chunks[key])) return result;
  result.gAMA = Uint8Array.of(0, 0, 45455 >> 8, 45455 & 255);
  const srgb = cICP && cICP[0] !== 2 ? cICP[0] === 1 : cHRM ? isSrgbColors(cHRM) : Boolean(chunks.sRGB);
  if (srgb && (cHRM || chunks.sRGB)) result.sRGB = Uint8Array.of(0);
  else delete result.sRGB;
  return result;
}

/** A profile of the same colors with the curve of sRGB; null for one that has tables in place of colors. */
export async function withScreenCurve(icc) {
  const tags = parseProfile(icc);
  const gray = text(icc.subarray(16, 20)) === "GRAY";
  const colors = gray ? [] : ["rXYZ", "gXYZ", "bXYZ"];
  if (!tags || colors.some((key) => !(tags[key]?.length >= 20))) return null;
  const answer = await fetch(new URL(`../model/screen_${gray ? "gray" : "rgb"}.icc`, import.meta.url));
  if (!answer.ok) throw new Error("The profile of values as on screen cannot be loaded; reload the page.");
  const profile = new Uint8Array(await answer.arrayBuffer());
  const own = parseProfile(profile); // parts of its memory
  for (const key of colors) own[key].set(tags[key].subarray(8, 20), 8);
  return profile;
}
