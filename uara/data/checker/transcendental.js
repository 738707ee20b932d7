// Logarithms and powers between two bounds, in fixed point: BigInts in units of 2^-q.

/** [low, high] of atanh(top / bottom) for 0 <= top / bottom <= 1/3, in units of 2^-q.
 *
 *  z' = floor(z) and its powers, each rounded down, give a lower bound. The powers miss less than 1.5 units
 *  each, the terms less than 2.5; the terms left out when a power is 0 less than 2 in all; z - z' < 1 counts 9/8.
 */
function atanh(top, bottom, q) {
  const z = (top << BigInt(q)) / bottom, square = (z * z) >> BigInt(q);
  let power = z, sum = 0n, terms = 0n;
  for (; power > 0n; terms++) {
    sum += power / (2n * terms + 1n);
    power = (power * square) >> BigInt(q);
  }
  return [sum, sum + 3n * terms + 8n];
}

/** [low, high] of ln(1 + x) / ln 2 for a dyadic x > 0. */
function log2OnePlus(x) {
  // 1 + x = 2^k m with m in [1/sqrt 2, sqrt 2), ln m = 2 atanh((m - 1) / (m + 1)).
  const one = dyadic(1n).plus(x), size = bits(one.m) + one.e;
  let k = size - 1;
  const twice = (n) => new Dyadic(1n, n);
  if (one.times(one).compare(twice(2 * k + 1)) >= 0) k++;
  const m = k === 0 ? x : one.minus(twice(k));  // (m - 1) 2^k
  const sum = one.plus(twice(k)), e = Math.min(m.e, sum.e);
  const top = m.m << BigInt(m.e - e), bottom = sum.m << BigInt(sum.e - e);
  const q = BITS + Math.max(0, bits(bottom) - bits(top));
  const [low, high] = atanh(top < 0n ? -top : top, bottom, q);
  const [ln2Low, ln2High] = atanh(1n, 3n, q);
  // log2 = k + ln m / ln 2; the factors 2 of both logarithms cancel.
  const at = (value) => new Dyadic(value, -q);
  if (top >= 0n)
    return [
      dyadic(BigInt(k)).plus(at(low).over(at(ln2High), -1)),
      dyadic(BigInt(k)).plus(at(high).over(at(ln2Low), 1)),
    ];
  return [
    dyadic(BigInt(k)).minus(at(high).over(at(ln2Low), 1)),
    dyadic(BigInt(k)).minus(at(low).over(at(ln2High), -1)),
  ];
}

/** [low, high] of 10^(x / 10) for a dyadic |x| <= 1000. */
function powerOfTen(x) {
  const q = BITS + 64, one = 1n << BigInt(q);
  const [ln2Low, ln2High] = atanh(1n, 3n, q).map((value) => 2n * value);
  const [quarterLow, quarterHigh] = atanh(1n, 9n, q).map((value) => 2n * value);
  const ln10 = [3n * ln2Low + quarterLow, 3n * ln2High + quarterHigh];  // 10 = 2^3 1.25
  const tenth = (value, side) => new Dyadic(value, -q).times(x).over(dyadic(10n), side);
  const low = tenth(ln10[x.sign() < 0 ? 1 : 0], -1).floor(q), high = tenth(ln10[x.sign() < 0 ? 0 : 1], 1).ceil(q);
  const k = floorDivide(low, ln2High);
  const part = (value, ln2) => value - k * ln2;
  const restLow = part(low, k < 0n ? ln2Low : ln2High), restHigh = part(high, k < 0n ? ln2High : ln2Low);
  const exp = (r) => {  // sum of r^n / n!, rounded down; r in [0, 1)
    let term = one, sum = 0n, terms = 0n;
    for (; term > 0n; terms++) {
      sum += term;
      term = (term * r) >> BigInt(q);
      term /= terms + 1n;
    }
    return [sum, sum + 2n * terms + 8n];  // each term misses less than 2 units, the rest less than 4
  };
  const clamp = restLow < 0n ? 0n : restLow;
  const floorValue = restLow < 0n ? exp(clamp)[0] + restLow - 1n : exp(clamp)[0];  // e^r >= 1 + r
  return [new Dyadic(floorValue, Number(k) - q), new Dyadic(exp(restHigh)[1], Number(k) - q)];
}
