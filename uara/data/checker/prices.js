// Certificates of two prices a server, one row or a tree of rows (docs/model.md, section 3).

const price = number(0), table = listOf(listOf(price));

const PRICES = record({
  kind: [oneOf("prices")],
  compute_price: [listOf(price)],
  bandwidth_price: [listOf(price)],
});

const BRANCHES = record({
  kind: [oneOf("branches")],
  target_ms: [number()],
  prices: [listOf(whole(-MOST_INDEX, MOST_INDEX))],
  device: [listOf(whole(-MOST_INDEX, MOST_INDEX))],
  server: [listOf(whole(-MOST_INDEX, MOST_INDEX))],
  compute_price: [table],
  bandwidth_price: [table],
});

/** Costs of all pairs and rents of the servers at a row of prices, in units of 2^-places. */
class PricedPairs {
  constructor(ground, compute, band) {
    const { instance, places } = ground, { pairs } = instance, prices = compute.map(dyadic);
    if (compute.length !== band.length || compute.length !== instance.servers.id.length)
      refuse("$.certificate", `must hold ${instance.servers.id.length} prices of each kind`);
    this.ground = ground;
    this.pair = pairs.device.map((i, k) => {
      const j = pairs.server[k];
      return prices[j].times(ground.roots[i]).floor(places) + ground.cost(k, band[j]);
    });
    this.rents = prices.map((p, j) => {
      const speed = dyadic(instance.servers.compute_flop_per_s[j]);
      return p.times(p).times(speed).over(dyadic(4000n), 1).plus(dyadic(band[j])).ceil(places);
    });
  }

  /** The bound on the controllable part over the allowed pairs, and what each pair costs above its device's cheapest;
   *  null where a device has no pair. */
  bound(allowed) {
    const { start } = this.ground.instance.pairs, excess = new Array(this.pair.length).fill(0n);
    let value = -this.rents.reduce((sum, rent) => sum + rent, 0n);
    for (let i = 0; i + 1 < start.length; i++) {
      let cheapest = null;
      for (let k = start[i]; k < start[i + 1]; k++)
        if (allowed[k] && (cheapest === null || this.pair[k] < cheapest)) cheapest = this.pair[k];
      if (cheapest === null) return null;
      for (let k = start[i]; k < start[i + 1]; k++) excess[k] = this.pair[k] - cheapest;
      value += cheapest;
    }
    return { value, excess };
  }
}

/** The bound of one row: on the controllable part, in units of 2^-places. */
function provePrices(ground, certificate) {
  const { compute_price: compute, bandwidth_price: band } = PRICES(certificate, "$.certificate");
  const row = new PricedPairs(ground, compute, band);
  const { value } = row.bound(new Uint8Array(row.pair.length).fill(1));
  ground.tell({ step: "prices", rents: row.rents });
  return value;
}

/** The same of a tree; its target holds the constant part. */
function proveBranches(ground, certificate) {
  const path = "$.certificate", tree = BRANCHES(certificate, path), { instance, places } = ground;
  const nodes = tree.prices.length, { device, server } = instance.pairs;
  if (tree.compute_price.length !== tree.bandwidth_price.length)
    refuse(`${path}.bandwidth_price`, "must have as many rows as compute_price");
  if (!nodes || tree.device.length !== nodes || tree.server.length !== nodes)
    refuse(path, "prices, device and server must have one entry a node");
  for (let node = 0; node < nodes; node++) {
    if (!(tree.prices[node] in tree.compute_price)) refuse(`${path}.prices`, "names a row beyond the price tables");
    const leaf = tree.device[node] < 0 ? -1 : 0;
    for (const [key, there] of [["device", instance.devices.id.length], ["server", instance.servers.id.length]]) {
      if (Math.min(tree[key][node], 0) !== leaf) refuse(`${path}.${key}`, "must be -1 at a leaf, and an index elsewhere");
      if (tree[key][node] >= there) refuse(`${path}.${key}`, `names a ${key} that the instance lacks`);
    }
  }
  checkPreOrder(tree.device.map((at) => (at < 0 ? 0 : 2)), `${path}.device`);
  for (const rows of [tree.compute_price, tree.bandwidth_price])
    if (rows.some((row) => row.length !== instance.servers.id.length))
      refuse(path, `must hold ${instance.servers.id.length} prices of each kind`);
  const rows = new Map(), rowOf = (place) => {
    if (!rows.has(place))
      rows.set(place, new PricedPairs(ground, tree.compute_price[place], tree.bandwidth_price[place]));
    return rows.get(place);
  };
  const target = dyadic(tree.target_ms).minus(ground.constantLow);  // value + constant >= target where value >= this
  const reached = target.ceil(places);
  let bound = target.floor(places);
  const waiting = [new Uint8Array(device.length).fill(1)];
  for (let node = 0; node < nodes; node++) {
    const allowed = waiting.pop(), found = rowOf(tree.prices[node]).bound(allowed);
    const outcome = found === null ? "empty" : tree.device[node] < 0 ? "leaf" : "divided";
    ground.tell({ step: "node", node, nodes, value: found && found.value, outcome });
    if (tree.device[node] < 0) {
      if (found) bound = least(bound, found.value);
      continue;
    }
    const useful = allowed.map((is, k) => Number(is && (!found || found.value + found.excess[k] < reached)));
    const own = (k) => device[k] === tree.device[node], there = (k) => own(k) && server[k] === tree.server[node];
    waiting.push(useful.map((is, k) => Number(is && !there(k))));
    waiting.push(useful.map((is, k) => Number(is && (there(k) || !own(k)))));
  }
  return bound;
}

/** In pre-order the open places never run out before the last node. */
function checkPreOrder(children, path) {
  let open = 1;
  children.forEach((count, node) => {
    if (open <= 0) refuse(path, `is not a tree in pre-order: nothing is open at node ${node}`);
    open += count - 1;
  });
  if (open !== 0) refuse(path, "is not a tree in pre-order: nodes are missing");
}
