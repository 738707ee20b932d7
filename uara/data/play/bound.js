// A bound by one price a phone: each server takes the set that pays it best, and wrong prices only make the bound low.

const MOST_LABELS = 20_000;

/** The set with the least t^2 / F + sum of r_i, where t is the sum of its s_i: labels on the distance to the continuous optimum. */
function leastSet(s, r, F) {
  let low = 0, high = 1;
  const pull = (p) => s.reduce((sum, value, i) => (r[i] + p * value < 0 ? sum + value : sum), 0) - (p * F) / 2;
  while (pull(high) > 0) high *= 2;
  for (let step = 0; step < 60; step++) {
    const p = (low + high) / 2;
    if (pull(p) > 0) low = p;
    else high = p;
  }
  const p = high, h = r.map((value, i) => value + p * s[i]);
  let base = (-p * p * F) / 4, start = (-p * F) / 2;
  h.forEach((value, i) => {
    if (value < 0) [base, start] = [base + value, start + s[i]];
  });
  const step = (i) => (h[i] < 0 ? -s[i] : s[i]);
  let best = { value: (start * start) / F, flips: [] };
  h.forEach((value, i) => {
    const d = start + step(i), found = Math.abs(value) + (d * d) / F;
    if (found < best.value) best = { value: found, flips: [i] };
  });
  const items = [...h.keys()];
  const open = items.filter((i) => Math.abs(h[i]) < best.value).sort((a, b) => s[b] - s[a]);
  let reach = open.reduce((sum, i) => sum + s[i], 0), labels = [{ d: start, c: 0, flips: null }], floor = null;
  const least = ({ d, c }) => c + Math.max(0, Math.abs(d) - reach) ** 2 / F;
  for (const i of open) {
    reach -= s[i];
    const next = [];
    for (const label of labels)
      for (const made of [label, { d: label.d + step(i), c: label.c + Math.abs(h[i]), flips: [i, label.flips] }])
        if (least(made) < best.value) {
          next.push(made);
          const value = made.c + (made.d * made.d) / F;
          if (value < best.value) best = { value, flips: listed(made.flips) };
        }
    labels = next;
    if (labels.length > MOST_LABELS) {
      floor = Math.min(best.value, ...labels.map(least));
      break;
    }
  }
  const flipped = new Set(best.flips);
  return { value: base + (floor ?? best.value), set: items.filter((i) => h[i] < 0 !== flipped.has(i)) };
}

function listed(flips) {
  const result = [];
  for (let rest = flips; rest; rest = rest[1]) result.push(rest[0]);
  return result;
}

/** Climb the bound from an answer's own prices: Polyak steps towards its cost.
 *
 *  The prices are rounded, as they stand in the certificate.
 */
function climb(numbers, search, passes) {
  const { M, E, root, speed } = numbers, target = search.cost;
  const ends = search.sets.map((members, j) => serverCost(numbers, members, j));
  const band = ends.map(({ price }) => price), psi = [...Array(M).keys()].map((i) => band.map((mu, j) => bandCost(numbers, i, j, mu)));
  let prices = psi.map((row, i) => Math.min(...row.map((value, j) => value + (2 * ends[j].root * root[i]) / speed[j])));
  let best = { bound: -Infinity, prices };
  for (let pass = 0; pass < passes; pass++) {
    prices = prices.map((value) => Math.round(value * 1e9) / 1e9);
    let bound = prices.reduce((sum, value) => sum + value, 0);
    const surplus = new Array(M).fill(1);
    for (let j = 0; j < E; j++) {
      const { value, set } = leastSet(root, psi.map((row, i) => row[j] - prices[i]), speed[j]);
      bound += value - band[j];
      for (const i of set) surplus[i] -= 1;
    }
    if (bound > best.bound) best = { bound, prices };
    const size = surplus.reduce((sum, value) => sum + value * value, 0);
    if (!size || target - bound <= 1e-9 * target) break;
    const stride = (pass < passes / 2 ? 1 : 0.5) * (target - bound) / size;
    prices = prices.map((value, i) => value + stride * surplus[i]);
  }
  return { ...best, band };
}

/** The certificate that says so, one row and no branching. */
function certificateOf(numbers, { prices, band }, target) {
  return {
    kind: "device-prices",
    version: 1,
    target_ms: target,
    nodes: [{ row: 0, drop: [], split: null }],
    rows: [{ device_price: prices, count_price: band.map(() => 0), band: 0 }],
    band_prices: [band.map((mu) => [mu])],
  };
}
