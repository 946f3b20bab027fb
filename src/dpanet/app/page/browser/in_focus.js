// Places in focus, where the picture is the mean of the views; the rules are those of dpanet/refinement/in_focus.py.

const CELL = 8;
const SHIFT = [0.015, 0.03];
const SMOOTHNESS = [3.6, 3.8];
const NOISE = 0.25;
const LEAST_DETAIL = 3e-6;

/**
 * How much of the mean of the views each px of a tile gets.
 * @param {Float32Array} left - planes 3 x height x width, as the network sees the view; the green one is measured
 * @param {Float32Array} right - likewise
 * @param {[number, number]} shape - height and width of the tile, px
 * @param {[number, number]} first - (y, x) of the tile in the picture, px
 * @returns {((y: number, x: number) => number) | null} 0..1; null if nothing is in focus
 */
export function weighFocus(left, right, shape, first) {
  const before = first.map((start) => start % CELL);
  const cells = shape.map((side, axis) => Math.ceil((side + before[axis]) / CELL));
  const [difference, noise, curvature, near, far] = measure(left, right, shape, before, cells).map((energy) => smooth(energy, cells));
  let any = false;
  const weights = difference.map((_, i) => {
    const ofSlopes = 4 * noise[i];
    const curved = Math.max(curvature[i] - 1.5 * noise[i], 0) + 1e-12;
    const smoothness = (far[i] - noise[i]) / (Math.max(near[i] - noise[i], 0) + 1e-12);
    const excess = Math.max(difference[i] - ofSlopes, 0) + NOISE * ofSlopes + LEAST_DETAIL;
    const weight = fall(excess / curved, SHIFT) * fall(smoothness, SMOOTHNESS);
    any ||= weight > 0;
    return weight;
  });
  if (!any) return null;
  const [rows, columns] = shape.map((side, axis) => Array.from({ length: side }, (_, at) => neighbors(at + before[axis], cells[axis])));
  return (y, x) => {
    const [above, below, down] = rows[y];
    const [one, other, across] = columns[x];
    const line = (row) => weights[row * cells[1] + one] * (1 - across) + weights[row * cells[1] + other] * across;
    return line(above) * (1 - down) + line(below) * down;
  };
}

/**
 * Mean squares in cells: differences of neighbors in the difference of the views; its noise, as the variance of a
 * pixel; and of the mean of the views, the curvature along rows, differences of neighbors, and of pixels two apart.
 */
function measure(left, right, [height, width], before, cells) {
  const sums = Array.from({ length: 5 }, () => new Float64Array(cells[0] * cells[1]));
  const green = height * width;
  const inside = (at, length) => Math.min(length - 1, Math.max(0, at));
  const end = [cells[0] * CELL - before[0], cells[1] * CELL - before[1]];
  for (let y = -before[0]; y < end[0]; y++) {
    const [up, here, down] = [y - 1, y, y + 1].map((row) => green + inside(row, height) * width);
    const row = Math.floor((y + before[0]) / CELL) * cells[1];
    for (let x = -before[1]; x < end[1]; x++) {
      const [back, at, next] = [inside(x - 1, width), inside(x, width), inside(x + 1, width)];
      const cell = row + Math.floor((x + before[1]) / CELL);
      const apart = left[here + at] - right[here + at];
      const apartBelow = left[down + at] - right[down + at];
      const slope = left[here + next] - right[here + next] - apart;
      const slopeBelow = left[down + next] - right[down + next] - apartBelow;
      const middle = left[here + at] + right[here + at];
      const beside = left[here + next] + right[here + next];
      const behind = left[here + back] + right[here + back];
      const below = left[down + at] + right[down + at];
      sums[0][cell] += slope ** 2 + (apartBelow - apart) ** 2;
      sums[1][cell] += (slopeBelow - slope) ** 2 / 4;
      sums[2][cell] += (beside - 2 * middle + behind) ** 2 / 4;
      sums[3][cell] += ((beside - middle) ** 2 + (below - middle) ** 2) / 4;
      sums[4][cell] += ((beside - behind) ** 2 + (below - left[up + at] - right[up + at]) ** 2) / 4;
    }
  }
  return sums.map((sum) => sum.map((value) => value / CELL ** 2));
}

/** Weighted means over 3 x 3 cells, weights 1 2 1 along each axis. */
function smooth(energy, [height, width]) {
  const along = (values, count, step, lines, stride) => {
    const result = new Float64Array(values.length);
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < count; i++) {
        const value = (k) => values[line * stride + Math.min(count - 1, Math.max(0, k)) * step];
        result[line * stride + i * step] = (value(i - 1) + 2 * value(i) + value(i + 1)) / 4;
      }
    }
    return result;
  };
  return along(along(energy, height, width, width, 1), width, 1, height, width);
}

/** The cells before and after a px, between whose middles it lies, and the weight of the latter. */
function neighbors(at, count) {
  const place = (at + 0.5) / CELL - 0.5;
  const before = Math.floor(place);
  const within = (cell) => Math.min(count - 1, Math.max(0, cell));
  return [within(before), within(before + 1), place - before];
}

function fall(value, [first, last]) {
  const t = Math.min(1, Math.max(0, (value - first) / (last - first)));
  return 1 - t * t * (3 - 2 * t);
}
