// The same search where a set costs the most of several rows (band prices): a label carries one sum a row.
//
// A label is dropped if another is not above it in any row, whatever the items left do: the difference of the two is
// linear in x, so that both ends of what x can be are looked at.

const NEIGHBOURS = 8;

const mostOf = (values) => values.reduce((most, value) => (value > most ? value : most));

function searchRows(items, begin, room, special, inside) {
  const { rows, s } = items, own = (g, i) => rows[g][i] + begin.twice * s[i];
  const fixed = items.t0 + (inside ? s[special] : 0n);
  const sums = rows.map((row, g) => {
    let sum = items.c0[g] + (inside ? row[special] : 0n) + begin.twice * fixed - square(begin.T) - begin.base;
    for (let i = 0; i < s.length; i++) if (begin.h[i] < 0n && i !== special) sum += own(g, i);
    return sum;
  });
  let best = mostOf(sums) + square(begin.d);
  const priced = flips(items, begin, room === null ? best : least(best, room), special).map(([step, cost, i]) => [
    step, cost, rows.map((_, g) => (begin.h[i] < 0n ? -own(g, i) : own(g, i))),
  ]);
  for (const [step, , costs] of priced)
    best = least(best, mostOf(costs.map((cost, g) => cost + sums[g])) + square(begin.d + step));
  if (room !== null) best = least(best, room);
  const list = priced.filter(([, cost]) => cost < best).sort(falling);
  const [up, down] = reachOf(list);
  const gains = [rows.map(() => 0n)];  // what the items from a on can still take off, row by row
  for (let a = list.length - 1; a >= 0; a--)
    gains.push(gains.at(-1).map((gain, g) => gain + (list[a][2][g] < 0n ? list[a][2][g] : 0n)));
  gains.reverse();
  let labels = [{ d: begin.d, c: sums }];
  for (let a = 0; a < list.length && labels.length; a++) {
    const [step, , costs] = list[a];
    const flipped = labels.map(({ d, c }) => ({ d: d + step, c: c.map((sum, g) => sum + costs[g]) }));
    for (const { d, c } of flipped) best = least(best, mostOf(c) + square(d));
    let lowest = null;
    const left = merged(labels, flipped).filter(({ d, c }) => {
      const far = d > down[a + 1] ? d - down[a + 1] : -d > up[a + 1] ? -d - up[a + 1] : 0n;
      const value = mostOf(c.map((sum, g) => sum + gains[a + 1][g])) + far * far;
      if (value >= best) return false;
      lowest = lowest === null ? value : least(lowest, value);
      return true;
    });
    labels = undominated(left, up[a + 1], down[a + 1]);
    if (labels.length > MOST_LABELS / rows.length) return least(best, lowest);
  }
  return best;
}

function merged(one, two) {
  const result = [];
  for (let a = 0, b = 0; a < one.length || b < two.length; )
    result.push(b >= two.length || (a < one.length && one[a].d <= two[b].d) ? one[a++] : two[b++]);
  return result;
}

function undominated(labels, up, down) {
  const kept = [];
  const notAbove = (one, other) => {  // one ends nowhere above the other
    const least = (one.d - other.d) * (one.d + other.d + 2n * (one.d > other.d ? up : -down));
    return one.c.every((sum, g) => sum - other.c[g] + least <= 0n);
  };
  for (const label of labels) {
    const near = Math.max(0, kept.length - NEIGHBOURS);
    let beaten = false;
    for (let k = kept.length - 1; k >= near && !beaten; k--) beaten = notAbove(kept[k], label);
    if (beaten) continue;
    for (let k = kept.length - 1; k >= near; k--) if (notAbove(label, kept[k])) kept.splice(k, 1);
    kept.push(label);
  }
  return kept;
}
