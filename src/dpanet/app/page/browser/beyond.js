// Values of an output that no code holds, below 0 and above 1: a strength mixes them before they are clipped.

export class Beyond {
  constructor() {
    this.count = 0;
    this.places = new Uint32Array(1024);
    this.values = new Float32Array(1024);
  }

  /** Add a value at a place of the flat array. */
  add(place, value) {
    if (this.count === this.places.length) {
      const [places, values] = [this.places, this.values];
      this.places = new Uint32Array(2 * this.count);
      this.values = new Float32Array(2 * this.count);
      this.places.set(places);
      this.values.set(values);
    }
    this.places[this.count] = place;
    this.values[this.count++] = value;
  }

  list() {
    return { places: this.places.slice(0, this.count), values: this.values.slice(0, this.count) };
  }
}
