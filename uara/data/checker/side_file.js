// The .npz beside an instance that holds its big columns: a zip archive of NumPy arrays. Nothing is believed of it:
// the instance names its hash, and the arrays are held against ranges and digest like numbers in the file itself.

const MAX_UNPACKED = 512 * 2 ** 20, IN_SIDE_FILE = "npz:";

/** Its SHA-256 and its members, unpacked: {sha256, members: Map from name to bytes}. */
async function unpack(bytes) {
  const fail = (problem) => { throw new Refusal(`side file: ${problem}`); };
  if (bytes.length > MAX_BYTES) fail(`${bytes.length} bytes, more than the ${MAX_BYTES} that are read`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), members = new Map();
  try {
    let end = bytes.length - 22;
    while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;  // a comment may follow
    if (end < 0) fail("no .npz archive");
    let at = view.getUint32(end + 16, true), left = MAX_UNPACKED;
    for (let count = view.getUint16(end + 10, true); count > 0; count--) {
      if (view.getUint32(at, true) !== 0x02014b50) fail("its list of arrays is damaged");
      const method = view.getUint16(at + 10, true), packed = view.getUint32(at + 20, true), size = view.getUint32(at + 24, true);
      const named = view.getUint16(at + 28, true), local = view.getUint32(at + 42, true);
      const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + named));
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      if (view.getUint32(local, true) !== 0x04034b50 || (method !== 0 && method !== 8)) fail("packed in a way that NumPy does not use");
      if ((left -= size) < 0) fail(`unpacks to more than the ${MAX_UNPACKED} bytes that are read`);
      const held = bytes.subarray(start, start + packed);
      if (held.length !== packed || (method === 0 && packed !== size)) fail("it is cut off");
      members.set(name.replace(/\.npy$/, ""), method === 0 ? held : await inflated(held, size, fail));
      at += 46 + named + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal("side file: no .npz archive, or a damaged one");
  }
  return { sha256: sha256([bytes]), members };
}

/** Deflated bytes unpacked, to just this size: what would grow beyond it is stopped there. */
async function inflated(bytes, size, fail) {
  const found = new Uint8Array(size), reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (filled + value.length > size) {
      await reader.cancel();
      fail("an array is larger than it says");
    }
    found.set(value, filled);
    filled += value.length;
  }
  if (filled !== size) fail("an array is cut off");
  return found;
}

/** A NumPy array as nested lists of what JSON would hold: doubles, whole numbers as BigInts, texts. */
function arrayOf(bytes, path) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fail = () => refuse(path, "is no array of doubles, whole numbers or texts in the side file");
  if (bytes.length < 12 || view.getUint32(0) !== 0x934e554d) fail();
  const long = bytes[6] > 1, start = (long ? 12 : 10) + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = new TextDecoder("latin1").decode(bytes.subarray(long ? 12 : 10, start));
  const [, kind] = /'descr': '<(f8|i8|U[0-9]{1,4})'/.exec(header) ?? fail();
  const [, sizes] = /'shape': \(([0-9, ]*)\)/.exec(header) ?? fail();
  const shape = sizes.split(",").map((size) => size.trim()).filter(Boolean).map(Number);
  const width = kind[0] === "U" ? 4 * Number(kind.slice(1)) : 8, total = shape.reduce((product, size) => product * size, width);
  if (!/'fortran_order': False/.test(header) || !shape.length || shape.length > 2 || start + total !== bytes.length) fail();
  let at = start - width;
  const one = { f: () => view.getFloat64(at, true), i: () => view.getBigInt64(at, true), U: () => {
    let text = "";
    for (let place = at; place < at + width && view.getUint32(place, true); place += 4)
      text += String.fromCodePoint(view.getUint32(place, true));
    return text;
  } }[kind[0]];
  const read = (depth) => Array.from({ length: shape[depth] }, () => {
    if (depth + 1 < shape.length) return read(depth + 1);
    at += width;
    return one();
  });
  try {
    return read(0);
  } catch {
    return fail();
  }
}

/** Put the arrays of a side file in the places of a decoded instance that name them. */
function fillFromSideFile(data, side) {
  const named = data instanceof Map ? data.get("side_file") : null;
  const known = named instanceof Map ? named.get("name") : undefined, shown = typeof known === "string" ? known : "an .npz file";
  for (const table of ["servers", "devices", "channel"]) {
    const columns = data instanceof Map ? data.get(table) : null;
    for (const [key, value] of columns instanceof Map ? columns : []) {
      if (typeof value !== "string" || !value.startsWith(IN_SIDE_FILE) || value === "") continue;
      const path = `$.${table}.${key}`;
      if (!side) refuse(path, `is in the side file ${shortened(shown)}: give that file too`);
      if (!(named instanceof Map) || named.get("sha256") !== side.sha256)
        refuse("$.side_file", "the side file that is given is another one: its hash is not the one that the instance names");
      const member = side.members.get(value.slice(IN_SIDE_FILE.length));
      if (!member) refuse(path, "is not in the side file");
      columns.set(key, arrayOf(member, path));
    }
  }
  return data;
}
