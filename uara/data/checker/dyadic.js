// Exact numbers m 2^e (m a BigInt), and what cannot be exact rounded to a said side.
//
// Every double is such a number. Sums and products are exact. Quotients, roots, logarithms and powers
// keep BITS bits and are rounded down or up.

const BITS = 128;

const bits = (m) => {
  const text = (m < 0n ? -m : m).toString(16);
  return m === 0n ? 0 : 4 * (text.length - 1) + (32 - Math.clz32(parseInt(text[0], 16)));
};
const shifted = (m, by) => (by >= 0 ? m << BigInt(by) : m >> BigInt(-by));  // >> rounds down

const VIEW = new DataView(new ArrayBuffer(8));

class Dyadic {
  constructor(m, e) {
    this.m = m;
    this.e = m === 0n ? 0 : e;
  }

  /** The exact value of a double, or of a BigInt. */
  static of(value) {
    if (typeof value === "bigint") return new Dyadic(value, 0);
    if (!Number.isFinite(value)) throw new Refusal("a number must be finite");
    VIEW.setFloat64(0, value);
    const word = VIEW.getBigUint64(0), power = Number((word >> 52n) & 0x7ffn);
    const part = (word & 0xfffffffffffffn) | (power ? 1n << 52n : 0n);
    return new Dyadic(value < 0 ? -part : part, (power || 1) - 1075);
  }

  plus(other) {
    if (this.e >= other.e) return new Dyadic((this.m << BigInt(this.e - other.e)) + other.m, other.e);
    return new Dyadic(this.m + (other.m << BigInt(other.e - this.e)), this.e);
  }

  negative() {
    return new Dyadic(-this.m, this.e);
  }

  minus(other) {
    return this.plus(other.negative());
  }

  times(other) {
    return new Dyadic(this.m * other.m, this.e + other.e);
  }

  sign() {
    return this.m > 0n ? 1 : this.m < 0n ? -1 : 0;
  }

  compare(other) {
    return this.minus(other).sign();
  }

  /** The same to BITS bits, not above (side -1) or not below (side 1). */
  short(side) {
    const excess = bits(this.m) - BITS;
    if (excess <= 0) return this;
    return new Dyadic(side < 0 ? shifted(this.m, -excess) : -shifted(-this.m, -excess), this.e + excess);
  }

  /** This over another that is positive, to at least so many digits. */
  over(other, side, digits = BITS) {
    const lift = Math.max(0, digits + bits(other.m) - bits(this.m));
    const top = this.m << BigInt(lift);
    return new Dyadic(side < 0 ? floorDivide(top, other.m) : -floorDivide(-top, other.m), this.e - other.e - lift);
  }

  /** The greatest multiple of 2^-places that is not above, in units of it. */
  floor(places) {
    return shifted(this.m, this.e + places);
  }

  /** The least one that is not below. */
  ceil(places) {
    return -shifted(-this.m, this.e + places);
  }

  root(side) {
    let lift = Math.max(0, 2 * BITS - bits(this.m));
    if ((this.e - lift) % 2 !== 0) lift++;
    const square = this.m << BigInt(lift), found = isqrt(square);
    return new Dyadic(found + (side > 0 && found * found < square ? 1n : 0n), (this.e - lift) / 2);
  }

  /** The nearest double, or so: for showing and for guesses. */
  number() {
    const excess = Math.max(0, bits(this.m) - 64);
    return scaled(Number(shifted(this.m, -excess)), this.e + excess);
  }
}

const dyadic = (value) => Dyadic.of(value);

function floorDivide(top, bottom) {
  const quotient = top / bottom;
  return top < 0n && quotient * bottom !== top ? quotient - 1n : quotient;
}

/** x 2^e without leaving double precision on the way. */
function scaled(x, e) {
  for (; e > 1000; e -= 1000) x *= 2 ** 1000;
  for (; e < -1000; e += 1000) x *= 2 ** -1000;
  return x * 2 ** e;
}

/** The whole part of the square root of a BigInt of at least 0. */
function isqrt(n) {
  if (n < 2n) return n;
  let x = 1n << BigInt((bits(n) + 1) >> 1);  // not below the root: Newton then falls on it
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}
