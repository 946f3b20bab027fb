// The page: files are chosen, deblurred by an engine, shown.
//
// The engine is the module deblur.js: that of the program's server (server_deblur.js), or one that runs in the browser.
// It exports
//   capabilities(): Promise<{models: [{name, description}], cameras: [{name, description}], raw, folder, maxPixels,
//     defocusMap, keepBackground, refine, where: "server"|"browser"}>
//   deblur({left: File, right: File|null, options: {model, camera|null, refine: boolean}, onProgress(fraction, secondsLeft|null, stage, notes?),
//     signal: AbortSignal}): Promise<{before: Blob, after: Blob, defocus: Blob|null, defocusSpan: px at the ends of the
//     colors, width, height, seconds, notes: [string],
//     redraw?({keepBackground: px|null}): Promise<Blob> (the picture after; strength is applied by the page),
//     download(kind: "png"|"tiff", {strength: 0..1, keepBackground: px|null, values: "srgb"|"linear"|null}):
//       Promise<{name, blob}>; values is null unless the result has linear: true, of a picture proportional to light,
//     release?(): void (the result is not needed any more)}>
// before, after and defocus are pictures that the browser draws, upright, all of width x height. A failure is an Error
// whose message is one sentence for the visitor; a cancel is an AbortError.

import { capabilities, deblur } from "./deblur.js";
import { findCaptures, readTwoCaptures } from "./pairing.js";
import { Queue } from "./queue.js";
import { ResultView } from "./result.js";
import { ended, forward, isCancel, percent, showNotes, timeLeft } from "./text.js";

const element = (id) => document.getElementById(id);
const SECTIONS = ["choose", "pair", "options", "working", "result", "queue"];

let can, capture, queue, control, fromQueue = null, thumbnails = [], lonely = null;
const view = new ResultView(fail, say);

function show(...names) {
  for (const name of SECTIONS) element(name).hidden = !names.includes(name);
  element("message").hidden = true;
}

function fail(error) {
  element("message").querySelector("p").textContent = ended(error.message ?? String(error));
  element("message").hidden = false;
  element("message").scrollIntoView({ block: "nearest" });
}

function say(text) { element("live").textContent = text; }

/** Forget all results, also where the engine keeps them. */
function forget() {
  control?.abort();
  queue.stop();
  for (const item of [...queue.items, { result: view.result }]) item.result?.release?.();
  view.clear();
  queue.list([], []);
  fromQueue = null;
}

function restart() {
  forget();
  lonely = null;
  show("choose");
  document.querySelector("[data-action=files]").focus();
}

function take(files) {
  let { captures, leftOut, single } = findCaptures([...files], can.raw);
  if (single && lonely) ({ captures, leftOut, single } = findCaptures([lonely, single], can.raw));
  lonely = captures.length ? null : single;
  if (!captures.length) {
    fail({ message: leftOut.slice(0, 3).join(" ") + (leftOut.length > 3 ? ` And ${leftOut.length - 3} more.` : "") || "There is no picture in it; give a left and a right view." });
    return;
  }
  forget();
  if (captures.length === 1) {
    [capture] = captures;
    showPair();
    if (leftOut.length) fail({ message: `Left out: ${leftOut.join(" ")}` });
    return;
  }
  capture = null;
  queue.list(captures, leftOut);
  show("options", "queue");
  element("queue-title").focus();
}

function showPair() {
  show("pair", "options");
  for (const url of thumbnails) URL.revokeObjectURL(url);
  thumbnails = [];
  const { left, right, sure } = capture;
  element("pair-title").textContent = right ? "The two views" : "The raw file";
  document.querySelector(".views").classList.toggle("single", !right);
  document.querySelector(".views figcaption").textContent = right ? "Left view" : "Both views";
  const other = readTwoCaptures(capture);
  element("guess").textContent = other ? `By their names these are views of two captures, ${other.join(" and ")}.`
    : right && !sure ? "The names do not say which view is the left one; swap them if the result looks worse than before." : "";
  const sizes = [];
  for (const [side, file] of Object.entries({ left, right })) {
    element(`${side}-name`).textContent = file?.name ?? "";
    const box = element(`${side}-name`).parentElement.querySelector(".thumb");
    const none = file ? `${file.name.split(".").at(-1).toUpperCase()}, no preview` : "";
    box.textContent = none;
    if (!file || /\.(tiff?|p[gp]m|cr[23]|dng)$/i.test(file.name)) continue;
    const image = Object.assign(new Image(), { alt: `${side} view`, src: URL.createObjectURL(file) });
    thumbnails.push(image.src);
    box.textContent = "Loading the preview …";
    const drawn = (...content) => thumbnails.includes(image.src) && box.replaceChildren(...content); // unless others were chosen
    image.decode().then(() => {
      drawn(image);
      sizes.push(`${file.name} is ${image.naturalWidth} × ${image.naturalHeight} px`);
      const differ = sizes.length === 2 && new Set(sizes.map((text) => text.split(" is ").at(-1))).size === 2;
      if (differ && capture.left === left && capture.right === right) element("guess").textContent = `${sizes.sort().join(" and ")}; these are not two views of one capture.`;
    }, () => drawn(none));
  }
  element("pair-title").focus();
}

const options = () => ({ model: element("model").value, camera: element("camera").value || null, refine: element("refine").value === "yes" });

async function run() {
  const chosen = options(), mine = new AbortController();
  control = mine;
  show("working");
  element("progress").removeAttribute("value");
  element("stage").textContent = "Reading the files";
  showNotes(element("working-notes"), []);
  element("working-title").focus();
  try {
    const result = await deblur({ ...capture, options: chosen, signal: mine.signal, onProgress: forward((fraction, left, stage, notes = []) => {
      showNotes(element("working-notes"), notes);
      element("progress").value = fraction;
      element("stage").textContent = [stage, stage.startsWith("Waiting") ? "" : percent(fraction), timeLeft(left)].filter(Boolean).join(", ");
    }) });
    if (mine.signal.aborted) {
      result.release?.();
      throw new DOMException("canceled", "AbortError");
    }
    await open(result, chosen);
  } catch (error) {
    if (control !== mine) return;
    showPair();
    if (!isCancel(error)) fail(error);
    else say("Canceled");
  }
}

async function open(result, chosen, item = null) {
  fromQueue = item;
  document.querySelector("#result [data-action=again]").textContent = item ? "Back to the list" : "Other options";
  element("stage").textContent = "Loading the pictures";
  await view.show(result, item?.name ?? capture.name ?? "Before and after", chosen);
  show("result");
  element("result-title").focus();
}

async function example() {
  const files = await Promise.all(["left", "right"].map(async (side) => {
    const answer = await fetch(`example/${side}.webp`);
    if (!answer.ok) throw new Error("The example cannot be loaded; reload the page.");
    return new File([await answer.blob()], `example_${side}.webp`, { type: "image/webp" });
  }));
  capture = { name: "Example", left: files[0], right: files[1], sure: true };
  await run();
  if (view.result) view.result.saved = true; // anyone can have it again
}

const actions = {
  dismiss: () => { element("message").hidden = true; },
  files: () => element("files").click(),
  folder: () => element("folder").click(),
  example: () => example().catch(fail),
  swap: () => { capture = { ...capture, left: capture.right, right: capture.left, sure: true }; showPair(); document.querySelector("[data-action=swap]").focus(); },
  cancel: () => control?.abort(),
  restart,
  again: () => {
    if (!fromQueue) {
      forget();
      showPair();
      return;
    }
    view.clear();
    show("queue");
    fromQueue.buttons.show.focus();
    fromQueue = null;
  },
  "cancel-all": () => queue.stop(),
  retry: () => {
    queue.retry();
    show("options", "queue");
    element("queue-title").focus();
  },
  zip: async (button) => {
    button.disabled = true;
    try {
      await queue.downloadAll(element("zip-kind").value, (text) => { button.textContent = text; });
    } catch (error) {
      fail(error);
    }
    button.disabled = false;
    button.textContent = "Download all as zip";
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action]");
  if (button) actions[button.dataset.action](button);
});

element("options").addEventListener("submit", (event) => {
  event.preventDefault();
  if (capture) { run(); return; }
  show("queue");
  queue.start(options());
  element("queue-title").focus();
});

for (const name of ["files", "folder"]) {
  element(name).addEventListener("change", () => {
    const files = [...element(name).files];
    element(name).value = "";
    if (files.length) take(files);
  });
}

// Dropped files, and those of dropped folders.
async function droppedFiles(items) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
  const files = [];
  async function walk(entry, path) {
    if (entry instanceof File) { files.push(entry); return; }
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      if (path) Object.defineProperty(file, "webkitRelativePath", { value: path + file.name });
      files.push(file);
      return;
    }
    const reader = entry.createReader();
    for (let batch; (batch = await new Promise((done, failed) => reader.readEntries(done, failed))).length;) {
      for (const inner of batch) await walk(inner, `${path}${entry.name}/`);
    }
  }
  for (const entry of entries) await walk(entry, "");
  return files;
}

let depth = 0;
const busy = () => !element("working").hidden;
// What was not downloaded is lost with the page; the browser asks before that.
const isLost = () => busy() || queue?.hasUnsaved || Boolean(view.result && !view.result.saved);
addEventListener("beforeunload", (event) => { if (isLost()) event.preventDefault(); });
document.addEventListener("dragenter", () => { depth++; document.body.classList.toggle("dropping", !busy()); });
document.addEventListener("dragleave", () => { if (!--depth) document.body.classList.remove("dropping"); });
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  depth = 0;
  document.body.classList.remove("dropping");
  if (!busy() && can) droppedFiles(event.dataTransfer.items).then((files) => files.length && take(files), fail);
});

function fill(select, entries) {
  select.replaceChildren(...entries.map(({ name, description }) => Object.assign(document.createElement("option"), { value: name, textContent: description ?? name })));
}

async function start() {
  try {
    can = await capabilities();
  } catch (error) {
    fail(error);
    return;
  }
  queue = new Queue(deblur, can.where === "server" ? 2 : 1, (item) => open(item.result, item.options, item), fail, say);
  fill(element("model"), can.models.map(({ name }) => ({ name })));
  const about = () => { element("model-about").textContent = can.models.find(({ name }) => name === element("model").value)?.description ?? ""; };
  element("model").addEventListener("change", about);
  about();
  fill(element("camera"), can.cameras);
  // as on the command line, the lens of a Pixel 4 refines unless it is left out
  element("camera").addEventListener("change", () => { if (can.refine && element("camera").value === "pixel4") element("refine").value = "yes"; });
  element("camera").parentElement.hidden = !can.cameras.length;
  element("refine-box").hidden = !can.refine;
  for (const place of document.querySelectorAll("[data-raw]")) place.hidden = !can.raw;
  document.querySelector("[data-action=folder]").hidden = !(can.folder && "webkitdirectory" in element("folder"));
  document.querySelector(".formats").textContent = `PNG, TIFF, JPEG, WebP${can.raw ? ", AVIF, PGM, CR2, CR3, DNG" : ""}, up to ${Math.round(can.maxPixels / 1e6)} megapixels.`;
  element("privacy").textContent = can.where === "browser" ? "Runs in your browser: no picture leaves this device." : can.privacy ?? "";
  show("choose");
  document.body.dataset.ready = "";
}

start();
