// Before and after on one stage: a boundary that is dragged, and one pan and zoom for all pictures.

const STEP = 1.25, LARGEST = 32;

/** Show pictures on the stage `box`; `onZoom(text)` gets the zoom whenever it changes. */
export class Viewer {
  constructor(box, onZoom) {
    this.box = box;
    this.onZoom = onZoom;
    this.handle = box.querySelector(".handle");
    this.images = [...box.querySelectorAll(".pane img")];
    this.size = { width: 1, height: 1 };
    this.zoom = 1; // px of the screen a pixel of the picture
    this.place = { x: 0, y: 0 }; // of the picture's corner on the stage, CSS px
    this.native = true; // whether the zoom follows the screen's pixels at 100 %
    this.pointers = new Map();
    this.setSplit(50);
    box.addEventListener("keydown", (event) => this.#key(event));
    box.addEventListener("keyup", (event) => event.key.toLowerCase() === "b" && this.hold(false));
    box.addEventListener("blur", () => this.hold(false), true);
    this.handle.addEventListener("keydown", (event) => this.#handleKey(event));
    box.addEventListener("pointerdown", (event) => this.#down(event));
    box.addEventListener("pointermove", (event) => this.#move(event));
    for (const kind of ["pointerup", "pointercancel"]) box.addEventListener(kind, (event) => this.#up(event));
    box.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    box.addEventListener("dblclick", (event) => event.target.closest(".handle") || this.setZoom(this.isFit() ? 1 : this.fitZoom(), this.#at(event)));
    new ResizeObserver(() => this.#draw()).observe(box);
  }

  /** Show pictures of one size, at 100 %. */
  show(size) {
    this.size = size;
    for (const image of this.images) {
      image.width = size.width;
      image.height = size.height;
    }
    this.setSplit(50);
    this.zoom = 1;
    this.#center();
    this.#draw();
  }

  get scale() { return this.zoom / (window.devicePixelRatio || 1); }

  fitZoom() {
    const { clientWidth, clientHeight } = this.box;
    return Math.min(clientWidth / this.size.width, clientHeight / this.size.height, 1) * (window.devicePixelRatio || 1);
  }

  isFit() { return Math.abs(this.zoom - this.fitZoom()) < 1e-3; }

  /** Zoom, with the point (CSS px of the stage) staying where it is; by default its center. */
  setZoom(zoom, point = { x: this.box.clientWidth / 2, y: this.box.clientHeight / 2 }) {
    const before = this.scale;
    this.zoom = Math.min(LARGEST, Math.max(Math.min(this.fitZoom(), 1), zoom));
    const ratio = this.scale / before;
    this.place = { x: point.x - (point.x - this.place.x) * ratio, y: point.y - (point.y - this.place.y) * ratio };
    this.#draw();
  }

  zoomBy(name) {
    if (name === "in") this.setZoom(this.zoom * STEP);
    else if (name === "out") this.setZoom(this.zoom / STEP);
    else if (name === "native") this.setZoom(1);
    else this.setZoom(this.fitZoom());
  }

  pan(x, y) {
    this.place.x += x;
    this.place.y += y;
    this.#draw();
  }

  /** Move the boundary to a share of the stage, in per cent from the left. */
  setSplit(percent) {
    this.split = Math.min(100, Math.max(0, percent));
    this.box.style.setProperty("--split", `${this.split}%`);
    const rounded = Math.round(this.split);
    this.handle.setAttribute("aria-valuenow", rounded);
    this.handle.setAttribute("aria-valuetext", `${rounded} % before, ${100 - rounded} % after`);
  }

  /** Show the picture before alone, or both again. */
  hold(on) { this.box.classList.toggle("holding", on); }

  #center() {
    this.place = {
      x: (this.box.clientWidth - this.size.width * this.scale) / 2,
      y: (this.box.clientHeight - this.size.height * this.scale) / 2,
    };
  }

  #draw() {
    const scale = this.scale;
    for (const [axis, all, part] of [["x", this.box.clientWidth, this.size.width * scale], ["y", this.box.clientHeight, this.size.height * scale]]) {
      this.place[axis] = part <= all ? (all - part) / 2 : Math.min(0, Math.max(all - part, this.place[axis]));
    }
    const ratio = window.devicePixelRatio || 1; // whole px of the screen, so that 100 % is not resampled
    const [x, y] = [this.place.x, this.place.y].map((value) => Math.round(value * ratio) / ratio);
    for (const image of this.images) image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    this.box.classList.toggle("pixels", this.zoom >= 2);
    this.box.style.touchAction = this.size.height * scale <= this.box.clientHeight + 1 ? "pan-y" : "none";
    this.onZoom(`${Math.round(this.zoom * 100)} %`);
  }

  #at(event) {
    const box = this.box.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const far = event.shiftKey ? 200 : 50;
    const ways = {
      ArrowLeft: () => this.pan(far, 0), ArrowRight: () => this.pan(-far, 0),
      ArrowUp: () => this.pan(0, far), ArrowDown: () => this.pan(0, -far),
      "+": () => this.zoomBy("in"), "=": () => this.zoomBy("in"), "-": () => this.zoomBy("out"), "_": () => this.zoomBy("out"),
      0: () => this.zoomBy("native"), Home: () => this.zoomBy("fit"),
      b: () => this.hold(true), B: () => this.hold(true),
    };
    if (!ways[event.key]) return;
    ways[event.key]();
    event.preventDefault();
  }

  #handleKey(event) {
    const far = event.shiftKey ? 10 : 2;
    const ways = { ArrowLeft: -far, ArrowRight: far, PageDown: -10, PageUp: 10, Home: -100, End: 100 };
    if (!(event.key in ways) || event.altKey || event.ctrlKey || event.metaKey) return;
    this.setSplit(this.split + ways[event.key]);
    event.preventDefault();
    event.stopPropagation();
  }

  #down(event) {
    if (event.button) return;
    this.box.setPointerCapture(event.pointerId);
    const fits = this.size.width * this.scale <= this.box.clientWidth + 1 && this.size.height * this.scale <= this.box.clientHeight + 1;
    const slides = Boolean(event.target.closest(".handle")) || fits;
    this.pointers.set(event.pointerId, { ...this.#at(event), slides });
    if (slides) this.setSplit((100 * this.#at(event).x) / this.box.clientWidth);
    else this.box.classList.add("moving");
    (slides ? this.handle : this.box).focus({ preventScroll: true });
    event.preventDefault();
  }

  #move(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const now = this.#at(event);
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      const distance = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      const center = (point) => ({ x: (point.x + other.x) / 2, y: (point.y + other.y) / 2 });
      this.place.x += center(now).x - center(last).x;
      this.place.y += center(now).y - center(last).y;
      this.setZoom((this.zoom * distance(now)) / distance(last), center(now));
    } else if (last.slides) {
      this.setSplit((100 * now.x) / this.box.clientWidth);
    } else {
      this.pan(now.x - last.x, now.y - last.y);
    }
    Object.assign(last, now);
  }

  #up(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.box.classList.remove("moving");
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== this.box) return;
    event.preventDefault();
    this.setZoom(this.zoom * Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), this.#at(event));
  }
}
