// Pictures whose values seem to be meant otherwise than they are read; the rules and their numbers are those of
// dpanet/images/value_scale.py.

const FULL = 0.85;
const STEP = 4;
const RAW_TOP = 2 ** 14 + 1024;
const PEDESTAL = 0.03;

/** Sentences on a picture of 16 bits: raw values of a sensor, or another white than the largest code. */
export function notesOnScale({ bits, codes, width, height, channels, encoding }, name) {
  if (bits !== 16) return [];
  let largest = 0;
  for (let i = 0; i < codes.length; i++) if (codes[i] > largest) largest = codes[i];
  if (channels === 1 && !encoding && largest < RAW_TOP) {
    const sample = sampleOf(codes, width, height);
    const [dark, bright] = rangeOf(sample);
    const eightBits = sample.every((code) => code % 257 === 0); // scaled to 16
    if (dark >= PEDESTAL * bright && bright > 1.25 * dark && !eightBits) {
      return [
        `${name} looks like raw values of a sensor, as its 16-bit gray values lie between ${Math.round(dark)} and ${Math.round(bright)}, but its black is taken as 0 and its white as 65535; if it is raw, use the program dpanet, which takes the levels of its camera`,
      ];
    }
  }
  const used = Math.floor(Math.log2(Math.max(1, largest))) + 1;
  if (used < 8 || used > 14 || largest < FULL * (2 ** used - 1)) return [];
  return [
    `${name} has 16 bits a channel, but no value above ${largest} of 65535; if its white is ${2 ** used - 1}, it is treated as too dark, so export it with white at 65535`,
  ];
}

/** Every fourth gray value of every fourth row, in order of size. */
function sampleOf(codes, width, height) {
  const sample = [];
  for (let y = 0; y < height; y += STEP) {
    for (let x = 0; x < width; x += STEP) sample.push(codes[y * width + x]);
  }
  return Uint16Array.from(sample).sort();
}

/** The darkest and the brightest of sorted values, without the outermost thousandths. */
function rangeOf(sorted) {
  return [0.001, 0.999].map((share) => {
    const place = share * (sorted.length - 1);
    const i = Math.min(sorted.length - 2, Math.floor(place));
    return sorted[i] + (place - i) * (sorted[i + 1] - sorted[i]);
  });
}
