"use strict";
// Pictures are decoded when their image comes near the window, and released when it is far away again.
(() => {
  const SIDES = ["left", "right"];
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  class Scene {
    constructor(article) {
      this.article = article;
      this.name = article.dataset.name;
      this.gains = JSON.parse(article.dataset.gains);
      this.titles = JSON.parse(article.querySelector(".titles").textContent);
      this.stage = article.querySelector(".stage");
      this.handle = article.querySelector(".handle");
      this.strip = article.querySelector(".strip");
      this.chosen = {};
      this.split = 50;
      this.pictures = null;
      for (const side of SIDES) {
        const select = article.querySelector(`select[data-side=${side}]`);
        this.chosen[side] = select.value;
        select.addEventListener("change", () => this.choose(side, select.value));
      }
      for (const row of article.querySelectorAll("tr[data-values]")) row.values = JSON.parse(row.dataset.values);
      this.slide();
      this.pan();
      for (const side of SIDES) this.choose(side, this.chosen[side]);
    }

    choose(side, method) {
      this.chosen[side] = method;
      this.article.querySelector(`select[data-side=${side}]`).value = method;
      const title = this.titles[method];
      this.stage.querySelector(`.tag-${side}`).textContent = title;
      this.stage.querySelector(`img.${side}`).alt = `Image ${this.name}, ${title}`;
      this.article.querySelector(`[data-column=${side}]`).textContent = title;
      for (const row of this.article.querySelectorAll("tr[data-values]")) {
        row.querySelector(`td[data-side=${side}]`).textContent = row.values[method] ?? "–";
      }
      for (const figure of this.strip.children) {
        const sides = SIDES.filter((one) => this.chosen[one] === figure.dataset.method);
        figure.querySelector(".window").dataset.shown = sides.join(", ");
      }
      this.paint();
      this.move(this.split);
    }

    load() {
      if (this.pictures) return;
      this.pictures = JSON.parse(this.article.querySelector(".pictures").textContent);
      for (const figure of this.strip.children) {
        figure.querySelector("img").src = this.pictures[figure.dataset.method][1];
      }
      this.paint();
    }

    unload() {
      this.pictures = null;
      for (const picture of this.article.querySelectorAll("img")) picture.removeAttribute("src");
    }

    paint() {
      if (!this.pictures) return;
      for (const side of SIDES) this.stage.querySelector(`img.${side}`).src = this.pictures[this.chosen[side]][0];
    }

    move(split) {
      this.split = clamp(split, 0, 100);
      this.stage.style.setProperty("--split", `${this.split}%`);
      const share = Math.round(this.split);
      const [left, right] = SIDES.map((side) => this.titles[this.chosen[side]]);
      this.handle.setAttribute("aria-valuenow", share);
      this.handle.setAttribute("aria-valuetext", `${share} % ${left}, ${100 - share} % ${right}`);
    }

    slide() {
      const follow = (event) => {
        const box = this.stage.getBoundingClientRect();
        this.move((100 * (event.clientX - box.left)) / box.width);
      };
      this.stage.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        this.stage.setPointerCapture(event.pointerId);
        this.handle.focus({ preventScroll: true });
        event.preventDefault();
        follow(event);
      });
      this.stage.addEventListener("pointermove", (event) => {
        if (this.stage.hasPointerCapture(event.pointerId)) follow(event);
      });
      this.handle.addEventListener("keydown", (event) => {
        const step = event.shiftKey ? 10 : 2;
        const places = {
          ArrowLeft: this.split - step, ArrowDown: this.split - step, PageDown: this.split - 10, Home: 0,
          ArrowRight: this.split + step, ArrowUp: this.split + step, PageUp: this.split + 10, End: 100,
        };
        if (!(event.key in places) || event.ctrlKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        this.move(places[event.key]);
      });
    }

    // All crops show the same place: a share of what does not fit, 0 the left or upper end, 1 the other.
    pan() {
      const at = { x: 0.5, y: 0.5 };
      const shift = (x, y) => {
        const picture = this.strip.querySelector("img");
        const hidden = { x: picture.offsetWidth - picture.parentNode.offsetWidth,
          y: picture.offsetHeight - picture.parentNode.offsetHeight };
        for (const [axis, pixels] of [["x", x], ["y", y]]) {
          if (hidden[axis] > 0) at[axis] = clamp(at[axis] + pixels / hidden[axis], 0, 1);
          this.strip.style.setProperty(`--pan-${axis}`, at[axis]);
        }
      };
      let last = null;
      this.strip.addEventListener("pointerdown", (event) => {
        if (event.button || !event.target.closest(".window")) return;
        this.strip.setPointerCapture(event.pointerId);
        last = [event.clientX, event.clientY];
      });
      this.strip.addEventListener("pointermove", (event) => {
        if (!last || !this.strip.hasPointerCapture(event.pointerId)) return;
        shift(last[0] - event.clientX, last[1] - event.clientY);
        last = [event.clientX, event.clientY];
      });
      this.strip.addEventListener("lostpointercapture", () => { last = null; });
      this.strip.addEventListener("keydown", (event) => {
        const ways = { ArrowLeft: [-24, 0], ArrowRight: [24, 0], ArrowUp: [0, -24], ArrowDown: [0, 24] };
        if (!(event.key in ways) || event.ctrlKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        shift(...ways[event.key]);
      });
    }
  }

  const scenes = [...document.querySelectorAll(".scene")].map((article) => new Scene(article));
  const byArticle = new Map(scenes.map((scene) => [scene.article, scene]));

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const scene = byArticle.get(entry.target);
      if (entry.isIntersecting) scene.load();
      else scene.unload();
    }
  }, { rootMargin: "1200px 0px" });
  for (const scene of scenes) near.observe(scene.article);

  addEventListener("beforeprint", () => { for (const scene of scenes) scene.load(); });

  for (const select of document.querySelectorAll("#tools select[data-side]")) {
    select.addEventListener("change", () => {
      for (const scene of scenes) scene.choose(select.dataset.side, select.value);
    });
  }

  const order = document.getElementById("order");
  order.addEventListener("change", () => {
    const places = scenes.map((_, index) => index);
    if (order.value) places.sort((a, b) => scenes[a].gains[order.value] - scenes[b].gains[order.value]);
    document.getElementById("scenes").append(...places.map((index) => scenes[index].article));
    for (const plot of document.querySelectorAll(".plot")) {
      const rows = [...plot.querySelectorAll(".row")].sort((a, b) => a.dataset.image - b.dataset.image);
      const height = (transform) => parseFloat(transform.slice("translate(0 ".length));
      const heights = rows.map((row) => row.getAttribute("transform")).sort((a, b) => height(a) - height(b));
      places.forEach((index, place) => {
        rows[index].setAttribute("transform", heights[place]);
        plot.append(rows[index]); // so that the tab key follows the eye
      });
    }
  });
})();
