// Many captures: a list with the state of each, deblurred one after the other.

import { counted, describeLens, forward, isCancel, percent, save, timeLeft } from "./text.js";
import { zip } from "./zip.js";

const element = (id) => document.getElementById(id);
const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

const describe = ({ stage = "Sending", fraction }) => (stage.startsWith("Waiting") ? stage : `${stage}, ${percent(fraction)}`);
/** Whether the files of an item are being sent to the engine. */
const isSent = ({ state, stage = "Sending" }) => state === "working" && stage === "Sending";
const isAtWork = ({ state, stage = "Sending" }) => state === "working" && !stage.startsWith("Waiting");
const describeDone = (result, options) => result && [
  `Done in ${result.seconds.toFixed(1)} s`, describeLens(result, options), result.notes.length ? `with ${counted(result.notes.length, "note")}` : "",
].filter(Boolean).join(", ");
const ENDED = ["failed", "canceled"];
const WORDS = { waiting: "Waiting", canceled: "Canceled" };

export class Queue {
  /**
   * @param {Function} deblur of the engine
   * @param {number} side number of captures that are sent at once
   * @param {Function} open shows the result of an item
   * @param {Function} fail shows an error
   * @param {Function} say tells a screen reader
   */
  constructor(deblur, side, open, fail, say) {
    Object.assign(this, { deblur, side, open, fail, say, items: [], running: 0, started: false });
  }

  /** List captures; nothing runs before `start`. */
  list(captures, leftOut) {
    this.stop();
    this.started = false;
    this.items = captures.map((capture) => ({ ...capture, state: "waiting", fraction: 0 }));
    element("queue-list").replaceChildren(...this.items.map((item) => this.#row(item)));
    element("left-out").hidden = !leftOut.length;
    element("left-out").querySelector("ul").replaceChildren(...leftOut.map((text) => make("li", { textContent: text })));
    this.#summarize();
  }

  start(options) {
    this.options = options;
    this.started = true;
    this.#next();
  }

  /** Whether something is at work, or was not downloaded. */
  get hasUnsaved() { return this.running > 0 || this.items.some(({ result }) => result && !result.saved); }

  /** Let what failed or was canceled wait again; nothing runs before `start`. */
  retry() {
    this.started = false;
    for (const item of this.items) if (ENDED.includes(item.state)) this.#set(Object.assign(item, { fraction: 0, stage: undefined }), "waiting");
    this.#summarize();
  }

  stop() { for (const item of this.items) this.cancel(item); }

  cancel(item) {
    if (item.state === "waiting") this.#set(item, "canceled");
    else if (item.state === "working") item.control.abort();
  }

  async downloadAll(kind, report) {
    const done = this.items.filter((item) => item.state === "done");
    const files = [];
    for (const [index, item] of done.entries()) {
      report(`${index + 1} of ${done.length} …`);
      files.push(await this.#file(item, kind));
    }
    save({ name: "dpanet.zip", blob: await zip(files) });
  }

  async #file(item, kind) {
    const { name, blob } = await item.result.download(kind, { strength: 1, keepBackground: null, values: item.result.linear ? element("zip-values").value : null });
    item.result.saved = true;
    return { name: item.name.slice(0, item.name.lastIndexOf("/") + 1) + name, blob };
  }

  #next() {
    for (const item of this.items) {
      // One is sent after the other, so that they are deblurred in the order of the list.
      if (this.running >= this.side || this.items.some(isSent)) return;
      if (item.state === "waiting") this.#run(item);
    }
  }

  async #run(item) {
    this.running++;
    item.control = new AbortController();
    item.options = this.options;
    this.#set(item, "working");
    try {
      item.result = await this.deblur({
        left: item.left, right: item.right, options: item.options, signal: item.control.signal,
        onProgress: forward((fraction, left, stage) => {
          const wasSent = isSent(item);
          Object.assign(item, { fraction, left, stage });
          this.#draw(item);
          if (wasSent && !isSent(item)) this.#next();
        }),
      });
      this.running--;
      this.#set(item, "done");
    } catch (error) {
      this.running--;
      item.error = error.message;
      this.#set(item, isCancel(error) ? "canceled" : "failed");
    }
    this.#next();
  }

  #row(item) {
    const row = make("li");
    const buttons = make("div", { className: "buttons" });
    item.row = row;
    item.buttons = Object.fromEntries([
      ["show", "Show", () => this.open(item)],
      ["save", "Download", () => this.#save(item)],
      ["cancel", "Cancel", () => this.cancel(item)],
    ].map(([key, text, action]) => {
      const button = make("button", { type: "button", textContent: text, onclick: action });
      button.setAttribute("aria-label", `${text} ${item.name}`);
      buttons.append(button);
      return [key, button];
    }));
    item.text = make("div", { className: "state" });
    item.bar = make("progress", { max: 1, value: 0 });
    item.bar.setAttribute("aria-label", `Progress of ${item.name}`);
    const state = make("div");
    state.append(item.text, item.bar);
    row.append(make("span", { className: "title", textContent: item.name }), state, buttons);
    this.#draw(item);
    return row;
  }

  async #save(item) {
    item.buttons.save.disabled = true;
    try {
      save(await this.#file(item, element("zip-kind").value));
    } catch (error) {
      this.fail(error);
    } finally {
      item.buttons.save.disabled = false;
    }
  }

  #set(item, state) {
    const focused = item.row?.contains(document.activeElement);
    item.state = state;
    this.#draw(item);
    if (["done", "failed"].includes(state)) this.say(`${item.name}: ${item.text.textContent}`);
    if (focused && document.activeElement === document.body) element("queue-title").focus();
    this.#summarize();
  }

  #draw(item) {
    item.row.className = item.state;
    const text = { working: describe(item), done: describeDone(item.result, item.options), failed: item.error };
    item.text.textContent = text[item.state] ?? WORDS[item.state];
    item.bar.hidden = !isAtWork(item);
    item.bar.value = item.fraction;
    item.buttons.show.hidden = item.buttons.save.hidden = item.state !== "done";
    item.buttons.cancel.hidden = !["waiting", "working"].includes(item.state);
    if (item.state === "working") this.#overall();
  }

  #count(state) { return this.items.filter((item) => item.state === state).length; }

  #overall() {
    const ended = this.items.filter((item) => !["waiting", "working"].includes(item.state)).length;
    const part = this.items.reduce((sum, item) => sum + (item.state === "working" ? item.fraction : 0), ended);
    element("queue-progress").value = part / Math.max(1, this.items.length);
    const done = this.items.filter((item) => item.state === "done");
    const mean = done.reduce((sum, item) => sum + item.result.seconds, 0) / done.length;
    const parts = [`${this.#count("done")} of ${counted(this.items.length, "pair")} done`];
    for (const state of ENDED) if (this.#count(state)) parts.push(`${this.#count(state)} ${state}`);
    if (this.running && done.length) parts.push(timeLeft(mean * (this.items.length - part)));
    element("queue-summary").textContent = this.started || done.length ? parts.join(", ") : `${counted(this.items.length, "pair")}, not started`;
  }

  #summarize() {
    this.#overall();
    element("queue-progress").hidden = element("queue-buttons").hidden = !this.started;
    element("zip-values-box").hidden = !this.items.some((item) => item.state === "done" && item.result.linear);
    document.querySelector("[data-action=zip]").disabled = !this.#count("done");
    const left = this.#count("waiting") + this.#count("working");
    document.querySelector("[data-action=cancel-all]").hidden = !this.started || !left;
    document.querySelector("[data-action=retry]").hidden = !this.started || left || !ENDED.some((state) => this.#count(state));
  }
}
