// Overlapping tiles of a picture, and their results blended; the same tiles as those of dpanet/tiles/tiling.py,
// since another cut would change the picture by up to 1/255.

/** Pixels of the ramp between two tiles, where the tile is large enough for it. */
const SEAM = 32;

/**
 * Tiles along a side of `length` px: the fewest even ones of at most `tile` px (0: uncut).
 * @param {number} length - px of the picture
 * @param {{multiple_of: number, halo: number}} network - px that sides are multiples of, and of context
 * @returns {{length, tile, starts: number[], seams: [number, number][]} | null} null if the tile is too small
 */
export function cutAxis(length, tile, { multiple_of: step, halo }) {
  const padded = Math.ceil(length / step) * step;
  const largest = Math.floor(tile / step) * step;
  if (tile === 0 || largest >= padded) return { length, tile: padded, starts: [0], seams: [] };
  const seam = Math.min(SEAM, Math.floor((largest - 2 * halo - step) / 3));
  if (seam < 1) return null;
  const lap = 2 * halo + seam;
  const stride = Math.floor((largest - lap) / step) * step;
  const count = Math.ceil((padded - largest) / stride) + 1;
  let size = largest - stride + step;
  while (Math.ceil(Math.floor((padded - size) / step) / (count - 1)) * step > size - lap) size += step;
  const room = (padded - size) / step;
  const starts = Array.from({ length: count }, (_, i) => Math.floor((i * room) / (count - 1)) * step);
  const seams = starts.slice(1).map((start, i) => {
    const first = Math.floor((starts[i] + size + start) / 2) - Math.floor(seam / 2);
    return [first, first + seam];
  });
  return { length, tile: size, starts, seams };
}

/** The ways to cut a side, each with another number of tiles. */
function listAxes(length, network) {
  const axes = [cutAxis(length, 0, network)];
  const least = 2 * network.halo + SEAM + 3 * network.multiple_of;
  for (;;) {
    const last = axes.at(-1).tile;
    const largest = last - network.multiple_of;
    if (largest < least) return axes;
    const axis = cutAxis(length, largest, network);
    if (!axis || axis.tile === last) return axes;
    axes.push(axis);
  }
}

/** The tiles of up to `tile_pixels` that have the fewest pixels together; {rows, columns}: an axis each. */
export function chooseGrid(height, width, network) {
  const sides = [listAxes(height, network), listAxes(width, network)];
  for (let limit = network.tile_pixels; ; limit *= 2) {
    let best = null;
    for (const rows of sides[0]) {
      for (const columns of sides[1]) {
        if (rows.tile * columns.tile > limit) continue;
        const tiles = rows.starts.length * columns.starts.length;
        const cost = [tiles * rows.tile * columns.tile, tiles];
        if (!best || cost[0] < best.cost[0] || (cost[0] === best.cost[0] && cost[1] < best.cost[1])) best = { rows, columns, cost };
      }
    }
    if (best) return best;
  }
}

/** The weights of tile i along its core, from `coreOf(i)[0]` on; 1 but for the ramps. */
export function weightsOf(axis, i) {
  const [first, end] = coreOf(axis, i);
  const weights = new Float32Array(end - first).fill(1);
  const ramp = ([from, to], rising) => {
    for (let x = from; x < to; x++) {
      const t = (x - from + 0.5) / (to - from);
      const w = t * t * (3 - 2 * t);
      weights[x - first] = rising ? w : 1 - w;
    }
  };
  if (i > 0) ramp(axis.seams[i - 1], true);
  if (i < axis.seams.length) ramp(axis.seams[i], false);
  return weights;
}

/** First and end px of the picture to which tile i contributes, its ramps included. */
export function coreOf(axis, i) {
  return [i ? axis.seams[i - 1][0] : 0, i < axis.seams.length ? axis.seams[i][1] : axis.length];
}

/** For each px of tile i the px of the picture; what lies past its end is filled by reflection. */
export function placesOf(axis, i) {
  const period = Math.max(1, 2 * (axis.length - axis.starts[i]) - 2);
  const inside = axis.length - axis.starts[i];
  return Int32Array.from({ length: axis.tile }, (_, k) => {
    if (k < inside) return axis.starts[i] + k;
    const folded = k % period;
    return axis.starts[i] + (folded < inside ? folded : period - folded);
  });
}

/**
 * Blends tiles, which are added row by row from the top, each from the left, and hands on finished rows.
 * @param grid - of `chooseGrid`
 * @param {(top: number, rows: number, values: Float32Array) => void} finish - gets rows of the picture, each
 *   width x 3, which it must use at once
 */
export class Blend {
  constructor(grid, finish) {
    this.grid = grid;
    this.finish = finish;
    this.width = grid.columns.length;
    this.top = 0;
    const tallest = Math.max(...grid.rows.starts.map((_, i) => coreOf(grid.rows, i)[1] - coreOf(grid.rows, i)[0]));
    this.strip = new Float32Array(tallest * this.width * 3);
  }

  /**
   * @param {number} row - of the tile
   * @param {number} column - of the tile
   * @param {(y: number, x: number, c: number) => number} value - of the tile's result
   */
  add(row, column, value) {
    const { rows, columns } = this.grid;
    const [top, bottom] = coreOf(rows, row);
    const [left, right] = coreOf(columns, column);
    const [down, across] = [weightsOf(rows, row), weightsOf(columns, column)];
    for (let y = top; y < bottom; y++) {
      let at = ((y - top) * this.width + left) * 3;
      for (let x = left; x < right; x++) {
        const weight = down[y - top] * across[x - left];
        for (let c = 0; c < 3; c++) {
          this.strip[at++] += weight * value(y - rows.starts[row], x - columns.starts[column], c);
        }
      }
    }
    if (column === columns.starts.length - 1) this.finishRows(row, top, bottom);
  }

  finishRows(row, top, bottom) {
    const { rows } = this.grid;
    const final = (row < rows.seams.length ? rows.seams[row][0] : rows.length) - top;
    const line = this.width * 3;
    this.finish(top, final, this.strip.subarray(0, final * line));
    this.strip.copyWithin(0, final * line, (bottom - top) * line);
    this.strip.fill(0, (bottom - top - final) * line);
  }
}
