// The engine of the page that `dpanet app` serves: files are sent to the program, which deblurs them. See main.js.

const POLL = 250; // ms between two questions about a job
const ALIVE = 60_000; // ms between two signs of life
const SENDING = 0.1; // share of the progress that sending the files has

let visitor = null, largest = Infinity;

/** Ask the server; raises an Error with its sentence. */
async function ask(method, path, { body, signal } = {}) {
  let answer;
  try {
    answer = await fetch(path, { method, body, signal, cache: "no-store", headers: visitor ? { "X-Dpanet-Visitor": visitor } : {} });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The program does not answer; start it again with dpanet app, and reload this page.");
  }
  if (!answer.ok) {
    const { error } = await answer.json().catch(() => ({}));
    throw new Error(error ?? `The program answers with an error (${answer.status}).`);
  }
  return answer;
}

const json = async (...request) => (await ask(...request)).json();
const blob = async (...request) => (await ask(...request)).blob();
const canceled = () => new DOMException("canceled", "AbortError");

export async function capabilities() {
  visitor = (await json("POST", "visitors")).visitor;
  setInterval(() => ask("GET", "visitors").catch(() => {}), ALIVE);
  addEventListener("pagehide", (event) => {
    if (!event.persisted) fetch("visitors", { method: "DELETE", keepalive: true, headers: { "X-Dpanet-Visitor": visitor } });
  });
  const can = await json("GET", "capabilities");
  largest = can.maxBytes;
  return can;
}

/** Send a file; `report(share)` gets the progress, which fetch does not tell. */
function send(path, file, signal, report) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    request.setRequestHeader("X-Dpanet-Visitor", visitor);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => report(event.loaded / Math.max(1, event.total));
    request.onload = () => (request.status < 300 ? done() : failed(new Error(request.response?.error ?? `The program refuses ${file.name} (${request.status}).`)));
    request.onerror = () => failed(new Error(`${file.name} could not be sent; is the program still running?`));
    request.onabort = () => failed(canceled());
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}

const sleep = (time, signal) => new Promise((done, failed) => {
  const timer = setTimeout(done, time);
  signal.addEventListener("abort", () => { clearTimeout(timer); failed(canceled()); }, { once: true });
});

async function wait(job, signal, onProgress) {
  for (let pause = 60; ; pause = POLL) {
    const state = await json("GET", job, { signal });
    if (state.state === "done") return state;
    if (state.state === "failed") throw new Error(state.error);
    if (state.state === "canceled") throw canceled();
    onProgress(SENDING + (1 - SENDING) * state.fraction, state.seconds_left, state.stage, state.notes);
    await sleep(pause, signal);
  }
}

export async function deblur({ left, right, options, onProgress, signal }) {
  signal.throwIfAborted();
  const files = Object.entries({ left, right }).filter(([, file]) => file);
  for (const [, file] of files) { // the server refuses it too, but a browser does not hear that while it sends
    if (file.size > largest) throw new Error(`${file.name} has ${(file.size / 1e6).toFixed(1)} MB, and at most ${largest / 1e6} MB are taken; give a smaller file.`);
  }
  const request = { ...options, left: left.name, right: right?.name ?? null };
  const { id } = await json("POST", "jobs", { body: JSON.stringify(request), signal });
  const job = `jobs/${id}`;
  const release = () => { ask("DELETE", job).catch(() => {}); };
  try {
    const size = files.reduce((sum, [, file]) => sum + file.size, 0);
    let sent = 0;
    for (const [side, file] of files) {
      await send(`${job}/${side}`, file, signal, (share) => onProgress((SENDING * (sent + share * file.size)) / size, null, "Sending"));
      sent += file.size;
    }
    const { width, height, seconds, notes, defocus, span, linear } = await wait(job, signal, onProgress);
    const picture = (name) => blob("GET", `${job}/${name}`, { signal });
    const [before, after, map] = await Promise.all([picture("before"), picture("after"), defocus ? picture("defocus") : null]);
    return {
      before, after, width, height, seconds, notes, linear, defocus: map, defocusSpan: span, release,
      redraw: ({ keepBackground }) => blob("GET", `${job}/after${keepBackground === null ? "" : `?keep=${keepBackground}`}`),
      async download(kind, { strength, keepBackground, values }) {
        const query = new URLSearchParams({ strength });
        if (keepBackground !== null) query.set("keep", keepBackground);
        if (values) query.set("values", values);
        const answer = await ask("GET", `${job}/picture.${kind}?${query}`);
        return { name: decodeURIComponent(answer.headers.get("X-Dpanet-Name")), blob: await answer.blob() };
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}
