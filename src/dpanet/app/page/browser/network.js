// The network, run by ONNX Runtime in WebAssembly.
import * as ort from "../runtime/ort.wasm.min.mjs";

const MOST_THREADS = 8;

let loading = null;

/** What model.json says of the network: {name, file, weights, description, ...}. */
export async function loadModel() {
  const answer = await fetch(new URL("../model/model.json", import.meta.url));
  if (!answer.ok) throw new Error("The files of the network cannot be loaded; reload the page.");
  return answer.json();
}

/** Load the runtime and the network once. @returns {Promise<{description, run}>} */
export function loadNetwork() {
  loading ??= load();
  loading.catch(() => {
    loading = null;
  });
  return loading;
}

async function load() {
  const runtime = new URL("../runtime/", import.meta.url).href;
  ort.env.wasm.wasmPaths = {
    mjs: `${runtime}ort-wasm-simd-threaded.mjs`,
    wasm: `${runtime}ort-wasm-simd-threaded.wasm`,
  };
  // Threads need shared memory, which a page has only in isolation from foreign origins.
  ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
  const model = await loadModel();
  const [graph, ...weights] = await Promise.all(
    [model.file, ...model.weights].map(async (name) => {
      const answer = await fetch(new URL(`../model/${name}`, import.meta.url));
      if (!answer.ok) throw new Error("The files of the network cannot be loaded; reload the page.");
      return new Uint8Array(await answer.arrayBuffer());
    }),
  );
  const session = await ort.InferenceSession.create(graph, {
    executionProviders: ["wasm"],
    externalData: model.weights.map((path, i) => ({ path, data: weights[i] })),
  });
  return { description: model.description, run: (left, right, shape) => run(session, left, right, shape) };
}

/** Planes of the picture, 3 x H x W, from those of the views. */
async function run(session, left, right, [height, width]) {
  const tensor = (planes) => new ort.Tensor("float32", planes, [1, 3, height, width]);
  const { picture } = await session.run({ left: tensor(left), right: tensor(right) }, ["picture"]);
  return picture.data;
}
