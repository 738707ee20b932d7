// One node of a tree of device prices: its bound, and what forcing a pair adds to it.

class Evaluation {
  constructor(ground, { pi, nu, bands }, region, node) {
    this.ground = ground;
    this.allowed = region.allowed;
    const { pairs, servers } = ground.instance, counts = countsOf(ground, region.allowed);
    this.place = new Int32Array(pairs.device.length).fill(-1);  // among the free items of its server
    this.items = servers.id.map((_, j) => {
      const s = [], c0 = bands[j].map((mu) => -dyadic(mu).ceil(ground.places)), rows = c0.map(() => []);
      let t0 = 0n;
      for (const k of ground.pairsAt[j]) {
        if (!region.allowed[k]) continue;
        const i = pairs.device[k], load = ground.loads[k], priced = pi[i] + nu[j];
        const free = counts[i] > 1;
        if (free) this.place[k] = s.push(load) - 1;
        else t0 += load;
        bands[j].forEach((mu, g) => {
          const cost = ground.cost(k, mu) - priced;
          if (free) rows[g].push(cost);
          else c0[g] += cost;
        });
      }
      return new Items(s, rows, t0, c0);
    });
    this.least = this.items.map((items, j) => {
      const found = leastCost(items);
      ground.tell({ step: "server", node, server: j, value: found });
      return found;
    });
    this.value = pi.reduce((sum, price) => sum + price, 0n) + this.least.reduce((sum, value) => sum + value, 0n);
    nu.forEach((price, j) => (this.value += price * BigInt(price > 0n ? region.low[j] : region.high[j])));
    this.starts = new Map();
    this.without = new Map();
  }

  /** Whether the bound rises by `wanted` if the device of pair k must use it. */
  reaches(k, wanted) {
    const { device, server, start } = this.ground.instance.pairs, place = this.place[k], i = device[k];
    if (place < 0) return false;
    if (this.quick(server[k], place, true) >= wanted) return true;
    const j = server[k];
    let rise = leastCost(this.items[j], this.least[j] + wanted, place, true) - this.least[j];
    for (let other = start[i]; other < start[i + 1] && rise < wanted; other++)
      if (other !== k && this.allowed[other]) rise += this.riseWithout(other, wanted);
    return rise >= wanted;
  }

  /** By how much the least of its server rises at least without the device of a pair, up to what is wanted. */
  riseWithout(k, wanted) {
    const j = this.ground.instance.pairs.server[k], place = this.place[k];
    if (this.quick(j, place, true) > 0n) return 0n;  // no least set holds it
    if (this.quick(j, place, false) >= wanted) return wanted;
    if (!this.without.has(k)) {
      const rise = leastCost(this.items[j], this.least[j] + wanted, place, false) - this.least[j];
      this.without.set(k, rise > 0n ? rise : 0n);
    }
    return this.without.get(k);
  }

  /** What the continuous optimum alone proves of that rise with the item in the set, or not; 0 if nothing. */
  quick(j, place, inside) {
    if (!this.starts.has(j)) this.starts.set(j, start(this.items[j]));
    const { h, base } = this.starts.get(j), own = h[place];
    if (own >= 0n !== inside) return 0n;
    const rise = base + (own < 0n ? -own : own) - this.least[j];
    return rise > 0n ? rise : 0n;
  }
}
