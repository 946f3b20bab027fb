// A zip file without compression, since the pictures are compressed already (APPNOTE.TXT 6.3.10, without zip64).

const LARGEST = 0xffff_ffff;

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

export function crc32(bytes, start = 0) {
  let value = ~start;
  for (let place = 0; place < bytes.length; place++) value = (value >>> 8) ^ TABLE[(value ^ bytes[place]) & 255];
  return ~value >>> 0;
}

async function crcOf(blob) {
  let value = 0;
  const reader = blob.stream().getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) value = crc32(part.value, value);
  return value;
}

/** Return names that are unique, and safe to unpack anywhere: no absolute ones, no "..". */
export function safeNames(names) {
  const seen = new Set();
  return names.map((name) => {
    const safe = name.split(/[\\/]/).filter((part) => part && part !== "." && part !== "..").join("/").replace(/[\u0000-\u001f:]/g, "_") || "picture";
    let unique = safe;
    for (let number = 2; seen.has(unique.toLowerCase()); number++) unique = safe.replace(/(\.[^.]*)?$/, ` (${number})$1`);
    seen.add(unique.toLowerCase());
    return unique;
  });
}

/** Return a zip file of `files`, each {name, blob}; raises RangeError if it would be larger than 4 GB. */
export async function zip(files, date = new Date()) {
  const names = safeNames(files.map((file) => file.name));
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  const day = ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  const parts = [], directory = [];
  let offset = 0;
  for (const [index, { blob }] of files.entries()) {
    const name = new TextEncoder().encode(names[index]);
    const fields = new DataView(new ArrayBuffer(26));
    [20, 0x0800, 0, time, day].forEach((value, place) => fields.setUint16(2 * place, value, true));
    [await crcOf(blob), blob.size, blob.size].forEach((value, place) => fields.setUint32(10 + 4 * place, value, true));
    fields.setUint16(22, name.length, true);
    if (offset + blob.size + name.length + 30 > LARGEST || files.length > 65_000) {
      throw new RangeError("All pictures together are larger than 4 GB, the limit of a zip file; download them one by one.");
    }
    parts.push(new Uint8Array([0x50, 0x4b, 3, 4]), fields, name, blob);
    const place = new DataView(new ArrayBuffer(14));
    place.setUint32(10, offset, true);
    directory.push(new Uint8Array([0x50, 0x4b, 1, 2, 20, 0]), fields, place, name);
    offset += 30 + name.length + blob.size;
  }
  const size = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, offset, true);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
