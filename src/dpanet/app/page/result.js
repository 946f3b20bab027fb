// The result of one capture: before and after, the controls beside them, the downloads.

import { describeLens, isCancel, save, seconds, showNotes } from "./text.js";
import { Viewer } from "./viewer.js";

const element = (id) => document.getElementById(id);

export class ResultView {
  /** `fail(error)` shows an error; `say(text)` tells a screen reader. */
  constructor(fail, say) {
    this.fail = fail;
    this.say = say;
    this.section = element("result");
    this.box = element("stage-box");
    this.viewer = new Viewer(this.box, (text) => { element("zoom").value = text; });
    this.urls = [];
    for (const button of this.section.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.viewer.zoomBy(button.dataset.zoom));
    }
    const hold = this.section.querySelector("[data-hold]");
    hold.addEventListener("pointerdown", () => this.viewer.hold(true));
    for (const kind of ["pointerup", "pointerleave", "pointercancel", "blur"]) hold.addEventListener(kind, () => this.viewer.hold(false));
    hold.addEventListener("keydown", (event) => [" ", "Enter"].includes(event.key) && this.viewer.hold(true));
    hold.addEventListener("keyup", () => this.viewer.hold(false));
    element("strength").addEventListener("input", () => this.#strength());
    element("map").addEventListener("change", () => this.#map());
    this.box.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "m" || event.ctrlKey || event.metaKey || element("map-box").hidden) return;
      element("map").checked = !element("map").checked;
      this.#map();
    });
    element("keep").addEventListener("change", () => this.#keep());
    element("keep-radius").addEventListener("input", () => this.#keep());
    for (const button of this.section.querySelectorAll("[data-download]")) {
      button.addEventListener("click", () => this.#download(button));
    }
  }

  /** What is asked for: strength 0..1, the blur radius in px from which on the picture stays soft, or null, and values. */
  get look() {
    return {
      strength: element("strength").valueAsNumber / 100,
      keepBackground: element("keep").checked ? element("keep-radius").valueAsNumber : null,
      values: this.result?.linear ? element("values").value : null,
    };
  }

  /** Show a result. `options` are those it was made with. */
  async show(result, title, options) {
    this.clear();
    this.result = result;
    element("result-title").textContent = title;
    const { width, height } = result, lens = describeLens(result, options);
    element("summary").replaceChildren(
      `Deblurred in ${seconds(result.seconds)}`,
      Object.assign(document.createElement("small"), { textContent: `${width} × ${height} px, model ${options.model}${lens && `, ${lens}`}` }),
    );
    showNotes(element("notes"), result.notes);
    element("values-box").hidden = !result.linear;
    await Promise.all([this.#put("before", result.before), this.#put("after", result.after), this.#put("map", result.defocus)]);
    element("map-box").hidden = !result.defocus;
    element("keep-box").hidden = !(result.defocus && result.redraw);
    element("map").checked = false;
    element("keep").checked = false;
    element("keep-radius").disabled = true;
    element("strength").value = 100;
    const span = result.defocusSpan;
    element("scale-low").textContent = span ? `−${span.toFixed(1)} px` : "in front";
    element("scale-high").textContent = span ? `+${span.toFixed(1)} px` : "behind";
    if (span) element("keep-radius").max = Math.max(2, Math.ceil(span));
    this.#map();
    this.#strength();
    this.section.hidden = false;
    this.viewer.show({ width, height });
  }

  /** Release the pictures. */
  clear() {
    clearTimeout(this.timer);
    this.#busy(false);
    for (const url of this.urls) URL.revokeObjectURL(url);
    this.urls = [];
    this.result = null;
    for (const image of this.box.querySelectorAll("img")) image.removeAttribute("src");
  }

  async #put(name, blob) {
    if (!blob) return;
    const image = this.box.querySelector(`img.${name}`);
    const url = URL.createObjectURL(blob);
    this.urls.push(url);
    image.src = url;
    await image.decode().catch(() => {});
  }

  #strength() {
    const { strength } = this.look;
    element("strength-value").value = `${Math.round(100 * strength)} %`;
    this.box.querySelector("img.after").style.opacity = strength;
  }

  #map() {
    const shown = element("map").checked;
    this.box.querySelector(".map-pane").hidden = !shown;
    for (const tag of this.box.querySelectorAll(".tag")) tag.hidden = shown; // the colors cover both pictures
    element("legend").hidden = !shown;
  }

  #keep() {
    const { keepBackground } = this.look;
    element("keep-radius").disabled = keepBackground === null;
    element("keep-value").value = `${element("keep-radius").value} px`;
    clearTimeout(this.timer);
    const { result } = this;
    const isAsked = () => result === this.result && keepBackground === this.look.keepBackground;
    this.#busy(true);
    this.timer = setTimeout(async () => {
      try {
        const blob = await result.redraw({ keepBackground });
        if (isAsked()) await this.#put("after", blob);
      } catch (error) {
        if (result === this.result && !isCancel(error)) this.fail(error);
      }
      if (isAsked()) this.#busy(false);
    }, 250);
  }

  #busy(on) {
    element("stage-busy").hidden = !on;
    this.box.setAttribute("aria-busy", on);
    if (on) this.say("Working");
  }

  async #download(button) {
    const text = button.textContent;
    button.disabled = true;
    button.textContent = "Writing …";
    try {
      const file = await this.result.download(button.dataset.download, this.look);
      save(file);
      this.result.saved = true;
      this.say(`${file.name} is saved`);
    } catch (error) {
      if (!isCancel(error)) this.fail(error);
    } finally {
      button.disabled = false;
      button.textContent = text;
    }
  }
}
