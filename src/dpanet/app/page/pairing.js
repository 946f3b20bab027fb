// Which of the chosen files are the views of one capture: by their names, as the command line pairs those of a folder.

const PICTURES = /\.(png|tiff?|jpe?g|webp|avif|p[gpn]m)$/i;
const RAW = /\.(cr2|cr3|dng)$/i;
const BESIDE = /\.(csv|db|dop|html|ini|json|jsonl|log|md|mie|np[yz]|pp3|toml|txt|xml|xmp|ya?ml|zip)$/i;
const SIDES = [
  { left: /^(.+)_left$/i, right: /^(.+)_right$/i },
  { left: /^(.+[-. ])?left$/i, right: /^(.+[-. ])?right$/i },
  { left: /^(.+)[-_. ]l$/i, right: /^(.+)[-_. ]r$/i },
];

const natural = new Intl.Collator("en", { numeric: true }).compare;

export const isRaw = (file) => RAW.test(file.name);
export const stem = (name) => name.replace(/\.[^.]*$/, "");

/** Return the name of the capture and the side that a file claims to be by its name, or null. */
export function readSide(file) {
  const path = (file.webkitRelativePath || file.name).split("/");
  const parent = path.at(-2);
  if (parent === "inputL" || parent === "inputR") {
    return { name: stem(file.name), side: parent === "inputL" ? "left" : "right" };
  }
  for (const sides of SIDES) {
    for (const side of ["left", "right"]) {
      const match = sides[side].exec(stem(file.name));
      if (match) return { name: (match[1] ?? "").replace(/[-_. ]+$/, "") || "picture", side };
    }
  }
  return null;
}

/**
 * Return two files in the order left, right, and whether their names say so; null if both claim to be the same side.
 */
export function orderTwo(first, second) {
  const [one, two] = [readSide(first), readSide(second)];
  if (one && two && one.side === two.side) return null;
  if (one || two) {
    const swapped = one?.side === "right" || two?.side === "left";
    return { left: swapped ? second : first, right: swapped ? first : second, sure: Boolean(one && two) };
  }
  const [left, right] = [first, second].sort((a, b) => natural(a.name, b.name));
  return { left, right, sure: false };
}

/** Return the captures that the names of the two views of a pair say, if they differ; else null. */
export function readTwoCaptures({ left, right }) {
  const [one, two] = [left, right].map((file) => file && readSide(file)?.name);
  return one && two && one !== two ? [one, two] : null;
}

function describeSameSide(first, second) {
  const [one, two] = [first, second].sort((a, b) => natural(a.name, b.name));
  const [{ name, side }, other] = [readSide(one), readSide(two)];
  const whose = name === other.name ? name : `${name} and of ${other.name}`;
  return `${one.name} and ${two.name} are both ${side} views, of ${whose}; give the left and the right view of one capture.`;
}

/**
 * Sort files into captures.
 *
 * @param {File[]} files
 * @param {boolean} raw whether raw files with both views can be read
 * @returns {{captures: {name, left: File, right: File|null, sure: boolean}[], leftOut: string[], single: File|null}}
 *   single: the one picture there is, whose other view may still come
 */
export function findCaptures(files, raw) {
  const shown = files.filter((file) => !file.name.startsWith(".") && !BESIDE.test(file.name));
  const captures = [], leftOut = [], groups = new Map();
  const pictures = shown.filter((file) => PICTURES.test(file.name));
  for (const file of shown) {
    if (isRaw(file)) {
      if (raw) captures.push({ name: stem(file.name), left: file, right: null, sure: true });
      else leftOut.push(`${file.name} is a raw file, which this page does not read; export its two views, or use the program dpanet.`);
    } else if (!PICTURES.test(file.name)) {
      leftOut.push(`${file.name} is no picture that can be read; give PNG, TIFF, JPEG, WebP${raw ? ", AVIF, PGM, CR2, CR3 or DNG" : ""}.`);
    }
  }
  if (pictures.length === 2) {
    const pair = orderTwo(...pictures);
    if (pair) captures.push({ name: readSide(pair.left)?.name ?? stem(pair.left.name), ...pair });
    else leftOut.push(describeSameSide(...pictures));
  } else {
    for (const file of pictures) {
      const claim = readSide(file);
      if (!claim) {
        leftOut.push(`${file.name} is neither NAME_left nor NAME_right by its name.`);
        continue;
      }
      const folder = (file.webkitRelativePath || "").split("/").slice(1, -1).filter((part) => !/^input[LR]$/.test(part));
      const name = [...folder, claim.name].join("/");
      if (!groups.has(name)) groups.set(name, { left: [], right: [] });
      groups.get(name)[claim.side].push(file);
    }
    for (const [name, { left, right }] of groups) {
      if (left.length === 1 && right.length === 1) captures.push({ name, left: left[0], right: right[0], sure: true });
      else if (left.length > 1 || right.length > 1) leftOut.push(`${name} has several left or right views; give one of each.`);
      else leftOut.push(`${(left[0] ?? right[0]).name} has no ${left.length ? "right" : "left"} view.`);
    }
  }
  const single = pictures.length === 1 && !captures.length ? pictures[0] : null;
  if (single) leftOut.splice(0, Infinity, `${single.name} is only one view; add the other view of the same capture${raw ? ", or give a raw file with both" : ""}.`);
  captures.sort((a, b) => natural(a.name, b.name));
  return { captures, leftOut, single };
}
