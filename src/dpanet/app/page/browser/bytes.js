// What all readers and writers of files share: errors, deflate, checksums.

/** A file that cannot be used; the message is one sentence for the visitor. */
export class PictureError extends Error {
  constructor(message) {
    super(message);
    this.name = "PictureError";
  }
}

/** A stream of bytes from a list of Uint8Arrays, without a copy of them all. */
function streamOf(parts) {
  return new Blob(parts).stream();
}

/**
 * Inflate zlib data.
 * @param {Uint8Array[]} parts - the data, in order
 * @param {number} length - bytes that must come out; at most as many if `upTo`
 * @param {string} damaged - the sentence of the error if other data come out
 * @param {boolean} upTo - accept fewer bytes, and return only these
 * @returns {Promise<Uint8Array>}
 */
export async function inflate(parts, length, damaged, upTo = false) {
  const result = new Uint8Array(length);
  let filled = 0;
  const reader = streamOf(parts).pipeThrough(new DecompressionStream("deflate")).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (filled + value.length > length) throw new PictureError(damaged);
      result.set(value, filled);
      filled += value.length;
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    // Some writers leave bytes behind the end of the data; what matters is whether all pixels came out.
    if (error instanceof PictureError || filled < length) throw new PictureError(damaged);
  }
  if (filled < length && !upTo) throw new PictureError(damaged);
  return filled < length ? result.subarray(0, filled) : result;
}

/** Compress bytes to zlib data. */
export async function deflate(bytes) {
  const stream = streamOf([bytes]).pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const TABLE = new Uint32Array(256).map((_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** The CRC-32 of several pieces as if they were one. */
export function crc32(...pieces) {
  let crc = 0xffffffff;
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i++) crc = TABLE[(crc ^ piece[i]) & 255] ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Latin-1 text of bytes. */
export function text(bytes) {
  return String.fromCharCode(...bytes);
}

/** Bytes of ASCII text. */
export function ascii(string) {
  return Uint8Array.from(string, (character) => character.charCodeAt(0));
}

/** One array of several. */
export function join(...pieces) {
  const result = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}

export function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
