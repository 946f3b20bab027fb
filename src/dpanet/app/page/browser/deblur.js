// The engine of the page that runs in the visitor's browser; its functions are described in main.js.
//
// All work is done in a worker (browser/worker.js). A message to it is {id, task: "load" | "deblur" | "write", ...}; its
// answers are {id, progress: {stage, done?, runs?, pixels?}}, {id, result} or {id, error: a sentence}.

import { MAX_PIXELS } from "./browser/limits.js"; // of the site, where this file lies beside the folder

/** Parts of the whole time that reading ends at, and running the network. */
const [READ, RUN] = [0.04, 0.94];

/** Milliseconds that the page waits for its service worker. */
const PATIENCE = 4000;

/** Seconds that a pixel takes in one run, until it has been measured on this device. */
const GUESS = 4e-6;

const SPEED = "dpanet-seconds-per-pixel";
const RELOADED = "dpanet-reloaded";

const workers = {};
let lastId = 0;
const waiting = new Map();

export async function capabilities() {
  const answer = await fetch(new URL("model/model.json", import.meta.url));
  if (!answer.ok) throw new Error("The files of the network cannot be loaded; reload the page.");
  const { name } = await answer.json();
  await prepareOffline();
  ask("network", "load", {}).catch(() => {}); // what fails now fails again when a pair is deblurred, and is said then
  return {
    models: [{ name, description: `Runs in this page${crossOriginIsolated ? "" : ", on one core"}` }],
    cameras: [],
    raw: false,
    folder: true,
    maxPixels: MAX_PIXELS,
    defocusMap: false,
    keepBackground: false,
    refine: false,
    where: "browser",
  };
}

export async function deblur({ left, right, onProgress = () => {}, signal }) {
  signal?.throwIfAborted();
  if (!right) throw new Error(`${left.name} is one file, and this page takes two views; deblur raw files with the program dpanet.`);
  const meter = new Meter(onProgress);
  const stop = () => restart("network", new DOMException("canceled", "AbortError"));
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const { stored, ...result } = await ask("network", "deblur", { left, right }, (progress) => meter.report(progress));
    meter.finish();
    return { ...result, defocus: null, ...keep(stored, left.name) };
  } finally {
    meter.stop();
    signal?.removeEventListener("abort", stop);
  }
}

/** The functions of a result that need its pixels. */
function keep(stored, leftName) {
  const stem = leftName.replace(/\.[^.]*$/, "").replace(/[\s_.-]*left$/i, "");
  return {
    async download(kind, { strength = 1, values = null } = {}) {
      if (!stored) throw new Error("The result was released; deblur the views again.");
      const { blob } = await ask("files", "write", { stored, kind, strength, values });
      return { name: `${stem ? `${stem}_` : ""}sharp.${kind === "tiff" ? "tif" : "png"}`, blob };
    },
    release() {
      stored = null;
    },
  };
}

/** Send a task to a worker; `report` gets its progress. Two workers, so that a cancel loses no file being written. */
function ask(name, task, input, report = () => {}) {
  workers[name] ??= start(name);
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    waiting.set(id, { name, resolve, reject, report });
    workers[name].postMessage({ id, task, ...input });
  });
}

function start(name) {
  const worker = new Worker(new URL("browser/worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data: { id, progress, result, error } }) => {
    const request = waiting.get(id);
    if (!request) return;
    if (progress) {
      request.report(progress);
      return;
    }
    waiting.delete(id);
    if (error === undefined) request.resolve(result);
    else request.reject(new Error(error));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    restart(name, new Error("The part of the page that computes stopped; reload the page and try again."));
  };
  return worker;
}

/** Stop a worker, whatever it does; the next task starts another. */
function restart(name, error) {
  workers[name]?.terminate();
  delete workers[name];
  for (const [id, request] of waiting) {
    if (request.name !== name) continue;
    waiting.delete(id);
    request.reject(error);
  }
}

/** Progress between the reports of the worker, which come once for each run of the network, by its speed so far. */
class Meter {
  constructor(onProgress) {
    this.onProgress = onProgress;
    this.now = { stage: "Reading the views", done: 0, runs: 0 };
    this.since = performance.now();
    this.timer = setInterval(() => this.draw(), 250);
  }

  report(progress) {
    const now = performance.now();
    if (this.now.runs && progress.runs && progress.done > this.now.done) {
      saveSpeed((now - this.since) / 1000 / this.now.pixels);
    }
    this.now = { done: 0, runs: 0, ...progress };
    this.since = now;
    this.draw();
  }

  draw() {
    const { stage, done, runs, pixels } = this.now;
    if (!runs) {
      this.onProgress(stage === "Preparing the pictures" ? RUN : READ / 2, null, stage);
      return;
    }
    const speed = readSpeed();
    const elapsed = (performance.now() - this.since) / 1000;
    const each = (speed || GUESS) * pixels;
    // Of the first run ever no one knows how long it takes: the bar slows down instead of stopping short of its end.
    const within = speed ? Math.min(0.95, elapsed / each) : 1 - Math.exp(-elapsed / each);
    const part = done === runs ? 1 : (done + within) / runs;
    const left = speed && done < runs ? Math.max(1, each * (runs - done) - elapsed) : null;
    this.onProgress(READ + part * (RUN - READ), left, stage);
  }

  finish() {
    this.onProgress(1, 0, "Done");
  }

  stop() {
    clearInterval(this.timer);
  }
}

function readSpeed() {
  try {
    return Number(localStorage.getItem(SPEED)) || null;
  } catch {
    return null; // a page that may not store anything
  }
}

function saveSpeed(value) {
  try {
    localStorage.setItem(SPEED, String(value));
  } catch {
    // then the next page starts without an estimate
  }
}

/**
 * Let the service worker keep all files, so that the page works offline, and isolate the page, so that it may use
 * several cores: the headers for that come with the next load, so the first visit loads the page twice.
 */
async function prepareOffline() {
  const services = navigator.serviceWorker;
  if (!services) return;
  try {
    services.addEventListener("message", ({ data }) => {
      if (data === "stored") sayOffline();
    });
    const registration = await services.register(new URL("service_worker.js", import.meta.url));
    if (registration.waiting && (await replaceBy(registration.waiting))) {
      location.reload();
      await new Promise(() => {});
    }
    const active = await Promise.race([services.ready.then((one) => one.active), later(PATIENCE)]);
    if (!active) return;
    if (!crossOriginIsolated && !sessionStorage.getItem(RELOADED)) {
      sessionStorage.setItem(RELOADED, "1");
      location.reload();
      await new Promise(() => {});
    }
    active.postMessage("store");
    registration.update().catch(() => {}); // looks for a new version; without a network there is none
  } catch {
    // Without a service worker (a private window, a plain http address) the page works, on one core and online.
  }
}

/**
 * Let the worker of a newer version take over, and return whether it has. An earlier load has found it; it waits for
 * a moment at which the page asks for nothing, since Chromium can lose a load during which the worker is replaced.
 */
function replaceBy(worker) {
  const services = navigator.serviceWorker;
  const answer = new Promise((done) => {
    services.addEventListener("controllerchange", () => done(true), { once: true });
    services.addEventListener("message", ({ data }) => data === "needed" && done(false));
  });
  worker.postMessage("replace");
  return Promise.race([answer, later(PATIENCE)]);
}

function later(milliseconds) {
  return new Promise((done) => {
    setTimeout(done, milliseconds);
  });
}

/** Say that the page works offline, as soon as it has said what it is. */
function sayOffline() {
  if (!("ready" in document.body.dataset)) {
    setTimeout(sayOffline, 100);
    return;
  }
  document.body.dataset.offline = "";
  document.getElementById("privacy")?.append(" Works offline, too.");
}
