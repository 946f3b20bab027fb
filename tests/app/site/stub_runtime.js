// Stands for onnxruntime-web in tests: the "network" returns 3/4 of the left view and 1/4 of the right one.
export const env = { wasm: {} };

export class Tensor {
  constructor(kind, data, dims) {
    Object.assign(this, { kind, data, dims });
  }
}

export class InferenceSession {
  static async create(graph, { externalData }) {
    if (!(graph.length && externalData.every(({ data }) => data.length))) throw new Error("no network");
    return new InferenceSession();
  }

  async run({ left, right }) {
    // The tests of cancelling ask for a slow network in the name of a cache, which page and worker share.
    if (await caches.has("slow")) await new Promise((done) => setTimeout(done, 60_000));
    return { picture: new Tensor("float32", left.data.map((value, i) => 0.75 * value + 0.25 * right.data[i]), left.dims) };
  }
}
