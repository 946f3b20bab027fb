// The white of a linear pair, which defective pixels and small, very bright lights do not raise; the rule and its
// numbers are those of dpanet/deblurrer/white.py.

const REACH = 5;
const SIDE = 2 * REACH + 1;
const RANK = 31;
const RATIO = 2;
const PERCENT = 98;
const FULL = 6;
const LEAST = 1.25;
const SAMPLES = 2 ** 20;
const STRIP = 64;

/** The largest value of two linear views, 0..1, that is no outlier; 1 if there is no light. */
export function findWhite(views) {
  let largest = 0;
  const samples = [];
  for (const view of views) {
    largest = searchLargest(view, largest);
    collect(view, samples);
  }
  const bright = percentile(samples) / codeOfWhite(views[0]);
  largest /= codeOfWhite(views[0]);
  const white = largest <= FULL * bright ? largest : Math.max(LEAST * bright, FULL ** 2 * bright * (bright / largest));
  return white >= 1.17549435e-38 ? white : 1;
}

function codeOfWhite({ bits }) {
  return 2 ** bits - 1;
}

/** The larger of `largest` and the largest code of a view, outliers reduced. */
function searchLargest(view, largest) {
  const { codes, width, height, channels } = view;
  // Codes above the result so far, the largest first: one pass for each strip, as most of them change nothing.
  for (let top = 0; top < height; top += STRIP) {
    const end = Math.min(height, top + STRIP) * width * channels;
    const places = [];
    for (let i = top * width * channels; i < end; i++) if (codes[i] > largest) places.push(i);
    places.sort((a, b) => codes[b] - codes[a]);
    for (const place of places) {
      const value = codes[place];
      if (value <= largest) break;
      largest = Math.max(largest, reduce(value, around(view, place)));
    }
  }
  return largest;
}

function reduce(value, surroundings) {
  if (value <= RATIO * surroundings) return value;
  return Math.max(surroundings, (RATIO * RATIO * surroundings * surroundings) / value);
}

/** The code of rank `RANK` in the 11 x 11 px around a place, which are moved into the picture. */
function around({ codes, width, height, channels }, place) {
  const c = place % channels;
  const x = Math.floor(place / channels) % width;
  const y = Math.floor(place / channels / width);
  const left = Math.min(Math.max(x - REACH, 0), width - SIDE);
  const top = Math.min(Math.max(y - REACH, 0), height - SIDE);
  const window = new Uint16Array(SIDE * SIDE);
  for (let dy = 0; dy < SIDE; dy++) {
    for (let dx = 0; dx < SIDE; dx++) {
      window[dy * SIDE + dx] = codes[((top + dy) * width + left + dx) * channels + c];
    }
  }
  return window.sort()[SIDE * SIDE - RANK];
}

/** Codes above 0 of an even grid of about `SAMPLES` values of three channels. */
function collect({ codes, width, height, channels }, samples) {
  const step = Math.ceil(Math.sqrt(Math.max(1, (width * height * 3) / SAMPLES)));
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) {
      for (let c = 0; c < channels; c++) {
        const code = codes[(y * width + x) * channels + c];
        if (code > 0) samples.push(code);
      }
    }
  }
}

function percentile(samples) {
  if (!samples.length) return 0;
  const sorted = Uint16Array.from(samples).sort();
  const place = (PERCENT / 100) * (sorted.length - 1);
  const i = Math.min(sorted.length - 2, Math.floor(place));
  if (i < 0) return sorted[0];
  return sorted[i] + (place - i) * (sorted[i + 1] - sorted[i]);
}
