// Runs beside the page: reads two views, deblurs them, writes files. Messages are described in deblur.js.
import { PictureError } from "./bytes.js";
import { deblurPair } from "./deblur_pair.js";
import { orientationOf } from "./exif.js";
import { combine, mix, writeFile, writePreview } from "./finished_picture.js";
import { checkPair, readPicture } from "./read_picture.js";
import { asOnScreen, isSrgbColors } from "./values.js";

const tasks = {
  async load() {
    await (await import("./network.js")).loadNetwork();
    return {};
  },

  async deblur({ left, right }, report) {
    const start = performance.now();
    report({ stage: "Reading the views" });
    const loading = import("./network.js").then(({ loadNetwork }) => loadNetwork());
    loading.catch(() => {}); // said below, unless a view is refused before
    const views = [await readPicture(left), await readPicture(right)];
    checkPair(...views);
    report({ stage: "Loading the network" });
    const network = await loading;
    const { codes: output, beyond } = await deblurPair(network, ...views, (done, runs, pixels) => report({ stage: "Deblurring", done, runs, pixels }));
    report({ stage: "Preparing the pictures" });
    const about = aboutPicture(views[0]);
    const combined = combine(...views);
    const [before, after] = [await writePreview(combined, about), await writePreview(output, about)];
    const turned = about.orientation > 4;
    return {
      before,
      after,
      width: turned ? about.height : about.width,
      height: turned ? about.width : about.height,
      linear: about.encoding === "linear",
      seconds: (performance.now() - start) / 1000,
      notes: [...new Set([...views[0].notes, ...views[1].notes, ...notesOn(...views)])],
      // Blobs can lie on the disk, so that a long list of results does not fill the memory.
      stored: {
        about, output: new Blob([output]), combined: new Blob([combined]),
        places: new Blob([beyond.places]), values: new Blob([beyond.values]),
      },
    };
  },

  async write({ stored, kind, strength, values }) {
    const read = async (name, Kind = Uint16Array) => new Kind(await stored[name].arrayBuffer());
    const beyond = { places: await read("places", Uint32Array), values: await read("values", Float32Array) };
    const codes = mix(await read("output"), beyond, await read("combined"), strength, stored.about.encoding);
    const converts = values === "srgb" && stored.about.encoding === "linear";
    const picture = converts ? await asOnScreen(codes, stored.about) : { codes, about: stored.about };
    return { blob: await writeFile(picture.codes, picture.about, kind) };
  },
};

/** What the files that are written need to know of the left view. */
function aboutPicture({ width, height, channels, bits, alpha, icc, exif, chunks, encoding }) {
  return { width, height, channels, bits, alpha, icc, exif, chunks, encoding: encoding ?? "srgb", orientation: orientationOf(exif) };
}

function notesOn(left, right) {
  const notes = [];
  const { chunks } = left;
  if (left.alpha || right.alpha) notes.push(`the alpha channel of ${left.name} is carried over unchanged; colors under it are deblurred like all others`);
  const others = chunks.cHRM?.length === 32 && !chunks.sRGB && !isSrgbColors(chunks.cHRM);
  if (!left.icc && (others || (chunks.cICP && ![1, 2].includes(chunks.cICP[0])))) {
    notes.push(`${left.name} states its colors in a way that only a PNG can; a TIFF would be taken as sRGB`);
  }
  return notes;
}

self.onmessage = async ({ data: { id, task, ...input } }) => {
  const report = (progress) => self.postMessage({ id, progress });
  try {
    self.postMessage({ id, result: await tasks[task](input, report) });
  } catch (error) {
    const memory = error instanceof RangeError || /memory|allocat/i.test(String(error?.message));
    const message = error instanceof PictureError ? error.message
      : memory ? "The memory of the browser does not suffice for this picture; close other pages, or give a smaller picture."
      : `Deblurring failed (${error?.message ?? error}); reload the page and try again.`;
    self.postMessage({ id, error: message });
  }
};
