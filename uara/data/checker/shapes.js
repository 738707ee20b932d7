// What a file may hold: each check takes a decoded value and its place, and returns it converted, or refuses.

const refuse = (path, problem, value) => {
  throw new Refusal(`${path}: ${problem}${value === undefined ? "" : ` (found ${shortened(value)})`}`);
};

/** A double within limits; a whole number counts, text and truth values do not. */
const number = (min = -Infinity, max = Infinity) => (value, path) => {
  const found = typeof value === "bigint" ? Number(value) : value;
  if (typeof found !== "number") refuse(path, "must be a number", value);
  if (!(found >= min && found <= max)) refuse(path, `must be from ${min} to ${max}`, value);
  return found;
};

/** A whole number written without a point or an exponent, as a JavaScript number. */
const whole = (min, max = Number.MAX_SAFE_INTEGER) => (value, path) => {
  if (typeof value !== "bigint") refuse(path, "must be a whole number", value);
  if (value < BigInt(min) || value > BigInt(max)) refuse(path, `must be from ${min} to ${max}`, value);
  return Number(value);
};

const anyWhole = (value, path) => (typeof value === "bigint" ? value : refuse(path, "must be a whole number", value));

const text = (least = 0, most = Infinity, pattern = null) => (value, path) => {
  if (typeof value !== "string") refuse(path, "must be a text", value);
  const length = Array.from(value).length;
  if (length < least || length > most) refuse(path, `must have ${least} to ${most} characters`, value);
  if (pattern && !pattern.test(value)) refuse(path, "is not written as it must be", value);
  return value;
};

const oneOf = (...allowed) => (value, path) =>
  allowed.includes(value) ? value : refuse(path, `must be one of ${allowed.map(shortened).join(", ")}`, value);

const listOf = (each, least = 0, most = Infinity) => (value, path) => {
  if (!Array.isArray(value)) refuse(path, "must be a list", value);
  if (value.length < least || value.length > most) refuse(path, `must have ${least} to ${most} entries`, value);
  return value.map((item, place) => each(item, `${path}[${place}]`));
};

const mapOf = (each) => (value, path) => {
  if (!(value instanceof Map)) refuse(path, "must be an object", value);
  for (const [key, item] of value) each(item, `${path}.${key}`);
  return value;
};

const orNull = (each) => (value, path) => (value === null ? null : each(value, path));
const either = (...kinds) => (value, path) => {
  for (const kind of kinds) {
    try {
      return kind(value, path);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return refuse(path, "is not of any kind that may stand here", value);
};

/** An object with these keys and no others; a field is [check] where it must be there, or [check, default]. */
const record = (fields) => (value, path) => {
  if (!(value instanceof Map)) refuse(path, "must be an object", value);
  for (const key of value.keys()) if (!Object.hasOwn(fields, key)) refuse(`${path}.${key}`, "is not known here");
  const result = {};
  for (const [key, field] of Object.entries(fields)) {
    if (value.has(key)) result[key] = field[0](value.get(key), `${path}.${key}`);
    else if (field.length > 1) result[key] = field[1];
    else refuse(`${path}.${key}`, "is missing");
  }
  return result;
};

const versionOne = (value, path) => (value === 1n ? 1 : refuse(path, "must be the whole number 1", value));
