// The road of a picture: for each tile, for each mirror image, run the network; average, keep what is in focus, blend.
// The rules are those of dpanet/deblurrer/loop.py, exposure.py and mirror.py.
import { converter } from "./encoding.js";
import { Beyond } from "./beyond.js";
import { weighFocus } from "./in_focus.js";
import { Blend, chooseGrid, placesOf } from "./tiles.js";
import { findWhite } from "./white.js";

/** Left to right, then top to bottom; the first 1, 2 or 4 are averaged. */
const MIRRORS = [[false, false], [true, false], [false, true], [true, true]];

/**
 * @param {{description: object, run: Function}} network - of `loadNetwork`
 * @param left - a picture of readPicture
 * @param right - likewise, of the same size and kind
 * @param {(done: number, all: number, pixels: number) => void} report - called before each run of the network
 * @returns {Promise<{codes: Uint16Array, beyond: {places: Uint32Array, values: Float32Array}}>} height x width x 3 codes
 *   of 16 bits, in the encoding of the views; and the values that they cannot hold, below 0 and above 1
 */
export async function deblurPair(network, left, right, report) {
  const { width, height } = left;
  const { description } = network;
  const encoding = left.encoding ?? "srgb";
  const white = encoding === "linear" ? findWhite([left, right]) : 1;
  const table = tableOf(left.bits, white, converter(encoding, description.encoding));
  const toPair = converter(description.encoding, encoding);
  const grid = chooseGrid(height, width, description);
  const mirrors = MIRRORS.slice(0, description.tta);
  const runs = grid.rows.starts.length * grid.columns.starts.length * mirrors.length;
  const shape = [grid.rows.tile, grid.columns.tile];
  const planes = [new Float32Array(3 * shape[0] * shape[1]), new Float32Array(3 * shape[0] * shape[1])];
  const excess = white < 1 ? excessOf(left, right, white) : null;

  const codes = new Uint16Array(width * height * 3);
  const beyond = new Beyond();
  const blend = new Blend(grid, (top, rows, values) => {
    const start = top * width * 3;
    for (let i = 0; i < values.length; i++) {
      // Written like quantize: clipped, then rounded.
      codes[start + i] = Math.min(65535, Math.max(0, Math.round(values[i] * 65535)));
      if (values[i] < 0 || values[i] > 1) beyond.add(start + i, values[i]);
    }
  });
  let done = 0;
  for (let row = 0; row < grid.rows.starts.length; row++) {
    for (let column = 0; column < grid.columns.starts.length; column++) {
      const places = [placesOf(grid.rows, row), placesOf(grid.columns, column)];
      const total = new Float32Array(planes[0].length);
      [left, right].forEach((view, i) => fillPlanes(planes[i], view, table, places));
      const focus = weighFocus(planes[0], planes[1], shape, [grid.rows.starts[row], grid.columns.starts[column]]);
      const mean = focus && planes[0].map((value, i) => (value + planes[1][i]) / 2);
      for (const [leftRight, topBottom] of mirrors) {
        report(done++, runs, shape[0] * shape[1]);
        const mirrored = [topBottom ? places[0].slice().reverse() : places[0], leftRight ? places[1].slice().reverse() : places[1]];
        // Mirrored left to right, the views change places: the left half of the lens then lies on the left again.
        const views = leftRight ? [right, left] : [left, right];
        views.forEach((view, i) => fillPlanes(planes[i], view, table, mirrored));
        addMirrored(total, await network.run(planes[0], planes[1], shape), shape, leftRight, topBottom);
      }
      const size = shape[0] * shape[1];
      blend.add(row, column, (y, x, c) => {
        const at = c * size + y * shape[1] + x;
        let output = total[at] / mirrors.length;
        if (focus) output += focus(y, x) * (mean[at] - output);
        const light = toPair(output) * white;
        return excess ? light + excess(places[0][y], places[1][x], c) : light;
      });
    }
  }
  report(runs, runs, 0);
  return { codes, beyond: beyond.list() };
}

/** For each code of a file the value that the network sees: clipped at white, in its exposure and encoding. */
function tableOf(bits, white, convert) {
  const top = 2 ** bits - 1;
  return Float32Array.from({ length: top + 1 }, (_, code) => convert(Math.min(code / top, white) / white));
}

/** What the table clips off the views, as the mean of both: highlights come back as bright as they were. */
function excessOf(left, right, white) {
  const { width, channels, bits } = left;
  const limit = white * (2 ** bits - 1);
  return (y, x, c) => {
    const at = (y * width + x) * channels + (channels === 3 ? c : 0);
    const above = Math.max(0, left.codes[at] - limit) + Math.max(0, right.codes[at] - limit);
    return above / 2 / (2 ** bits - 1);
  };
}

function fillPlanes(planes, { codes, width, channels }, table, [rows, columns]) {
  const size = rows.length * columns.length;
  let at = 0;
  for (const y of rows) {
    for (const x of columns) {
      const from = (y * width + x) * channels;
      planes[at] = table[codes[from]];
      planes[at + size] = channels === 3 ? table[codes[from + 1]] : planes[at];
      planes[at + 2 * size] = channels === 3 ? table[codes[from + 2]] : planes[at];
      at += 1;
    }
  }
}

/** Add an output for a mirrored pair, in the orientation of the pair itself. */
function addMirrored(total, output, [height, width], leftRight, topBottom) {
  let at = 0;
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      const row = (c * height + (topBottom ? height - 1 - y : y)) * width;
      for (let x = 0; x < width; x++) total[at++] += output[row + (leftRight ? width - 1 - x : x)];
    }
  }
}
