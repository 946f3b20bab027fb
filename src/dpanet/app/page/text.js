// Numbers as people read them.

/** Return "3.2 s", "45 s" or "2 min 5 s". */
export function seconds(value) {
  if (value < 10) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Return how long something will still take, in steps that do not flicker. */
export function timeLeft(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "";
  if (value < 1.5) return "about a second left";
  if (value < 60) return `about ${Math.ceil(value)} s left`;
  return `about ${Math.ceil(value / 60)} min left`;
}

/** Return a function as `onProgress` whose fraction never falls, whatever an engine reports. */
export function forward(onProgress) {
  let largest = 0;
  return (fraction, ...more) => {
    largest = Math.max(largest, fraction);
    onProgress(largest, ...more);
  };
}

export const percent = (fraction) => `${Math.floor(100 * fraction)} %`;

/** Return "1 pair", "2 pairs". */
export const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** Return a sentence with its period. */
export const ended = (sentence) => sentence.replace(/[^.!?]$/, "$&.");

/** Put notes into a list, unless it has them already: a list that is written anew is read aloud anew. */
export function showNotes(list, notes) {
  notes = notes.map(ended);
  if (list.childElementCount === notes.length && notes.every((text, place) => list.children[place].textContent === text)) return;
  list.replaceChildren(...notes.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

/** Let the visitor save a file. */
export function save({ name, blob }) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Whether an error says that the visitor canceled. */
export const isCancel = (error) => error?.name === "AbortError";

/** Whether a lens refined a result, where that was asked for. */
export function describeLens({ notes }, { refine } = {}) {
  if (!refine) return "";
  return notes.some((note) => /\bno lens (explains|was found)/i.test(note)) ? "not refined" : "refined by the lens";
}
