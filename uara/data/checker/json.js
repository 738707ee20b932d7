// A strict reader of JSON: a file says one thing only, or is refused with the place.
//
// Objects become Maps, whole numbers BigInts, other numbers doubles: the double nearest to the decimal text,
// as Python and JavaScript both read it. Refused: a key given twice, NaN and infinities, whole numbers
// beyond 64 bits, halves of characters, depth beyond 100, text behind the value.

class Refusal extends Error {}

const MAX_BYTES = 64 * 2 ** 20, MAX_VALUES = 8_000_000, MAX_DEPTH = 100;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** The bytes of a file, decoded; `name` stands in errors. */
function readJson(bytes, name) {
  if (bytes.length > MAX_BYTES) throw new Refusal(`${name}: ${bytes.length} bytes, more than the ${MAX_BYTES} that are read`);
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);  // drops a byte-order mark
  } catch {
    throw new Refusal(`${name}: not UTF-8`);
  }
  return new JsonReader(text, name).whole();
}

class JsonReader {
  constructor(text, name) {
    this.text = text;
    this.name = name;
    this.at = 0;
    this.values = 0;
  }

  fail(problem) {
    throw new Refusal(`${this.name}: ${problem}, at character ${this.at}`);
  }

  whole() {
    this.space();
    const value = this.value(0);
    this.space();
    if (this.at < this.text.length) this.fail("not valid JSON: something stands behind the value");
    return value;
  }

  space() {
    const text = this.text;
    for (; this.at < text.length; this.at++) {
      const code = text.charCodeAt(this.at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
    }
  }

  value(depth) {
    if (depth > MAX_DEPTH) this.fail(`lies in more than ${MAX_DEPTH} others`);
    if (++this.values > MAX_VALUES) this.fail(`more than the ${MAX_VALUES} values that are read`);
    const first = this.text[this.at];
    if (first === "{") return this.object(depth);
    if (first === "[") return this.list(depth);
    if (first === '"') return this.string();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.number();
  }

  number() {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (!found) this.fail("not valid JSON: no value");
    if (found[1] === undefined && found[2] === undefined) {
      if (found[0].length > 20) this.fail("a whole number has more than 64 bits");
      const whole = BigInt(found[0]);
      if (BigInt.asIntN(64, whole) !== whole) this.fail("a whole number has more than 64 bits");
      this.at = NUMBER.lastIndex;
      return whole;
    }
    const value = Number(found[0]);
    if (!Number.isFinite(value)) this.fail("a number must be finite");
    this.at = NUMBER.lastIndex;
    return value;
  }

  string() {
    let result = "";
    this.at++;
    for (;;) {
      PLAIN.lastIndex = this.at;
      result += PLAIN.exec(this.text)[0];
      this.at = PLAIN.lastIndex;
      const next = this.text[this.at];
      if (next === '"') break;
      if (next !== "\\") this.fail("not valid JSON: a text does not end, or holds a control character");
      const mark = this.text[this.at + 1];
      if (mark === "u") {
        const digits = this.text.slice(this.at + 2, this.at + 6);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("not valid JSON: \\u without four digits");
        result += String.fromCharCode(parseInt(digits, 16));
        this.at += 6;
      } else if (mark !== undefined && Object.hasOwn(ESCAPES, mark)) {
        result += ESCAPES[mark];
        this.at += 2;
      } else this.fail("not valid JSON: unknown escape");
    }
    this.at++;
    if (/[\ud800-\udfff]/.test(result) && !wellFormed(result)) this.fail("a text holds half a character");
    return result;
  }

  list(depth) {
    const result = [];
    this.at++;
    this.space();
    if (this.text[this.at] === "]") {
      this.at++;
      return result;
    }
    for (;;) {
      this.space();
      result.push(this.value(depth + 1));
      this.space();
      const next = this.text[this.at];
      if (next !== "," && next !== "]") this.fail("not valid JSON: no comma and no end of the list");
      this.at++;
      if (next === "]") return result;
    }
  }

  object(depth) {
    const result = new Map();
    this.at++;
    this.space();
    if (this.text[this.at] === "}") {
      this.at++;
      return result;
    }
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.fail("not valid JSON: a key must be a text");
      const key = this.string();
      if (result.has(key)) this.fail(`the key ${shortened(key)} is given twice`);
      this.space();
      if (this.text[this.at] !== ":") this.fail("not valid JSON: no colon behind a key");
      this.at++;
      this.space();
      result.set(key, this.value(depth + 1));
      this.space();
      const next = this.text[this.at];
      if (next !== "," && next !== "}") this.fail("not valid JSON: no comma and no end of the object");
      this.at++;
      if (next === "}") return result;
    }
  }
}

function wellFormed(text) {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0xd800 || code > 0xdfff) continue;
    const next = text.charCodeAt(at + 1);
    if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
    at++;
  }
  return true;
}

/** A value as an error shows it. */
function shortened(value) {
  if (value instanceof Map) return `an object of ${value.size}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? text.slice(0, 57) + "..." : text;
}
