// The least cost of a set of devices at one server, in whole numbers: nothing is rounded here.
//
// A set S costs max over rows g of [c0_g + sum over S of r_gi] + (t0 + sum over S of s_i)^2; s and r are BigInts, in units
// of 2^-L and 2^-2L ms. For one row, any T and h_i = r_i + 2 T s_i,
//
//     cost(S) = base + sum over the flipped items of |h_i| + d^2,   base = c0 + 2 T t0 - T^2 + sum of min(0, h_i),
//
// where the items flipped are those in which S differs from {h_i < 0}, and d = t(S) - T. So an item with |h_i| not
// below the best value seen is never flipped. The others are decided one by one over labels (d, c). If the items left
// change d by x and add c', a label ends at c + c' + (d + x)^2 = c' + x^2 + [2 d x + c + d^2]: a line in x for each
// label. Only the lines of their lower envelope over the x that the items left can reach are kept.

const MOST_LABELS = 100_000;

/** What a search needs of a server: n items in G rows, and what is in the set anyway. */
class Items {
  constructor(s, rows, t0, c0) {
    this.s = s;
    this.rows = rows;
    this.t0 = t0;
    this.c0 = c0;
    this.gains = s.map((_, i) => rows.some((row) => row[i] < 0n));  // more load never pays by itself
    // In doubles, for guesses alone: loads, costs, and the items that can gain in the order in which they do.
    this.load = Float64Array.from(s, Number);
    this.cost = rows.map((row) => Float64Array.from(row, Number));
    this.order = this.cost.map((cost) => {
      const gaining = [...cost.keys()].filter((i) => cost[i] < 0);
      const ratio = cost.map((value, i) => value / this.load[i]);
      return gaining.sort((a, b) => ratio[a] - ratio[b]);
    });
  }
}

/** About the T of a row's continuous optimum, and its value; item `special` is in the set or not there. */
function continuous(items, row, special, inside) {
  const { load } = items, cost = items.cost[row];
  let t = Number(items.t0), value = Number(items.c0[row]);
  if (inside) {
    t += load[special];
    value += cost[special];
  }
  for (const i of items.order[row]) {
    if (i === special) continue;
    const ratio = cost[i] / load[i];
    if (ratio + 2 * (t + load[i]) < 0) {
      t += load[i];
      value += cost[i];
      continue;
    }
    if (ratio + 2 * t < 0) {
      value += ratio * (-ratio / 2 - t);
      t = -ratio / 2;
    }
    break;
  }
  return [t, value + t * t];
}

/** base, d and |h| of a row at a T. */
function start(items, special = -1, inside = false) {
  let row = 0, [t, value] = continuous(items, 0, special, inside);
  for (let g = 1; g < items.rows.length; g++) {
    const [tried, found] = continuous(items, g, special, inside);
    if (found > value) [row, t, value] = [g, tried, found];
  }
  const T = Number.isFinite(t) && t > 0 ? BigInt(Math.floor(t)) : 0n, twice = 2n * T;
  const r = items.rows[row], { s } = items, h = new Array(s.length);
  let load = items.t0, base = items.c0[row];
  if (inside) {
    load += s[special];
    base += r[special];
  }
  base += twice * load - T * T;
  for (let i = 0; i < s.length; i++) {
    const own = (h[i] = r[i] + twice * s[i]);
    if (own < 0n && i !== special) {
      base += own;
      load += s[i];
    }
  }
  return { row, twice, T, base, h, d: load - T };
}

const least = (a, b) => (a < b ? a : b);
const square = (a) => a * a;

/** The least cost of a set, or `cut` if that is less; item `special` is in every set (inside), or in none. */
function leastCost(items, cut = null, special = -1, inside = false) {
  const begin = start(items, special, inside), room = cut === null ? null : cut - begin.base;
  if (room !== null && room <= 0n) return cut;
  const found = items.rows.length === 1
    ? searchOneRow(items, begin, room, special)
    : searchRows(items, begin, room, special, inside);
  return begin.base + found;
}

/** The items that may still be flipped, those that cost most first: [step of d, cost of flipping, item]. */
function flips(items, { h }, limit, special) {
  const found = [];
  for (let i = 0; i < h.length; i++) {
    const cost = h[i] < 0n ? -h[i] : h[i];
    if (cost < limit && i !== special && items.gains[i]) found.push([h[i] < 0n ? -items.s[i] : items.s[i], cost, i]);
  }
  return found;
}

/** up[a], down[a]: by how much the items from a on can raise and lower d. */
function reachOf(list) {
  const up = [0n], down = [0n];
  for (let a = list.length - 1; a >= 0; a--) {
    const step = list[a][0];
    up.push(up.at(-1) + (step > 0n ? step : 0n));
    down.push(down.at(-1) - (step < 0n ? step : 0n));
  }
  return [up.reverse(), down.reverse()];
}

const falling = (a, b) => (a[1] > b[1] ? -1 : a[1] < b[1] ? 1 : 0);

function searchOneRow(items, begin, room, special) {
  let best = square(begin.d);
  let list = flips(items, begin, room === null ? best : least(best, room), special);
  for (const [step, cost] of list) best = least(best, cost + square(begin.d + step));
  if (room !== null) best = least(best, room);
  list = list.filter(([, cost]) => cost < best).sort(falling);
  const [up, down] = reachOf(list);
  let d = [begin.d], c = [0n];
  for (let a = 0; a < list.length && d.length; a++) {
    const [step, cost] = list[a];
    for (let l = 0; l < d.length; l++) best = least(best, c[l] + cost + square(d[l] + step));
    const reaches = (d, c) => {
      const far = d > down[a + 1] ? d - down[a + 1] : -d > up[a + 1] ? -d - up[a + 1] : 0n;
      return c + far * far;
    };
    const [nextD, nextC] = [[], []];
    let lowest = null;
    const take = (ownD, ownC) => {
      const value = reaches(ownD, ownC);
      if (value >= best) return;
      lowest = lowest === null ? value : least(lowest, value);
      push(nextD, nextC, ownD, ownC);
    };
    for (let one = 0, two = 0; one < d.length || two < d.length; ) {
      if (two >= d.length || (one < d.length && d[one] <= d[two] + step)) take(d[one], c[one++]);
      else take(d[two] + step, c[two++] + cost);
    }
    trim(nextD, nextC, up[a + 1], down[a + 1]);
    if (nextD.length > MOST_LABELS) return least(best, lowest);
    [d, c] = [nextD, nextC];
  }
  return best;
}

/** Add the line of a label whose d is not below those before, and take away what it lifts off the lower envelope. */
function push(d, c, ownD, ownC) {
  const value = ownC + ownD * ownD;
  for (;;) {
    const last = d.length - 1;
    if (last < 0) break;
    const lastValue = c[last] + d[last] * d[last];
    if (d[last] === ownD) {
      if (lastValue <= value) return;
    } else {
      if (last === 0) break;
      const before = c[last - 1] + d[last - 1] * d[last - 1];
      // the last line is below the one before from x1 leftwards, and below the new one from x2 rightwards
      if ((lastValue - value) * (d[last] - d[last - 1]) < (before - lastValue) * (ownD - d[last])) break;
    }
    d.pop();
    c.pop();
  }
  d.push(ownD);
  c.push(ownC);
}

/** Take away the lines that are lowest only beyond the x that can be reached, -down to up. */
function trim(d, c, up, down) {
  const at = (l, x) => 2n * d[l] * x + c[l] + d[l] * d[l];
  let from = 0, to = d.length;
  while (to - from > 1 && at(from, up) >= at(from + 1, up)) from++;
  while (to - from > 1 && at(to - 1, -down) >= at(to - 2, -down)) to--;
  if (to < d.length) {
    d.length = to;
    c.length = to;
  }
  if (from) {
    d.splice(0, from);
    c.splice(0, from);
  }
}
