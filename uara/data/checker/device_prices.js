// Certificates of one price a device: rows, trees, band prices, limits of counts, dropped pairs (docs/proofs.md).
//
// Prices are rounded to multiples of 2^-places first: any prices are valid. From there on only whole numbers are met.

const index = whole(0), SPLIT = orNull(either(
  oneOf("again"),
  record({ device: [index], servers: [listOf(index)] }),
  record({ server: [index], most: [index] }),
));

const DEVICE_PRICES = record({
  kind: [oneOf("device-prices")],
  version: [versionOne],
  target_ms: [number()],
  nodes: [listOf(record({ row: [index], drop: [listOf(listOf(index, 2, 2)), []], split: [SPLIT, null] }), 1)],
  rows: [listOf(record({ device_price: [listOf(number())], count_price: [listOf(number())], band: [index] }), 1)],
  band_prices: [listOf(listOf(listOf(price, 1)), 1)],
});

/** The certificate, if it is one for this instance. */
function readDevicePrices(instance, certificate) {
  const path = "$.certificate", tree = DEVICE_PRICES(certificate, path);
  const devices = instance.devices.id.length, servers = instance.servers.id.length;
  for (const [n, { row, split }] of tree.nodes.entries()) {
    if (row >= tree.rows.length) refuse(`${path}.nodes[${n}]`, "names a row that is not there");
    if (split?.device >= devices) refuse(`${path}.nodes[${n}]`, "splits by a device that is not there");
    if (split?.server >= servers)
      refuse(`${path}.nodes[${n}]`, "splits by a server that is not there");
  }
  for (const [r, row] of tree.rows.entries()) {
    if (row.band >= tree.band_prices.length) refuse(`${path}.rows[${r}]`, "names band prices that are not there");
    if (row.device_price.length !== devices || row.count_price.length !== servers)
      refuse(`${path}.rows[${r}]`, `must hold ${devices} device prices and ${servers} count prices`);
  }
  for (const [b, grid] of tree.band_prices.entries())
    if (grid.length !== servers) refuse(`${path}.band_prices[${b}]`, `must be for ${servers} servers`);
  checkPreOrder(tree.nodes.map(({ split }) => (split === null ? 0 : split === "again" ? 1 : 2)), `${path}.nodes`);
  return tree;
}

/** The bound on the controllable part that a tree proves, in units of 2^-places. */
function proveDevicePrices(ground, certificate) {
  const tree = readDevicePrices(ground.instance, certificate), { instance, places } = ground;
  const target = dyadic(tree.target_ms).ceil(places), { device, server } = instance.pairs;
  const rows = tree.rows.map((row) => ({
    pi: row.device_price.map((price) => dyadic(price).floor(places)),
    nu: row.count_price.map((price) => dyadic(price).floor(places)),
    bands: tree.band_prices[row.band],
  }));
  const servers = instance.servers.id.length, pairs = device.length;
  const root = { allowed: new Uint8Array(pairs).fill(1), low: new Array(servers).fill(0) };
  root.high = new Array(servers).fill(instance.devices.id.length);
  let bound = dyadic(tree.target_ms).floor(places);
  const waiting = [root];
  for (const [n, node] of tree.nodes.entries()) {
    let region = waiting.pop(), value = null, dropped = 0;
    const empty = region === null;
    if (region) {
      const found = new Evaluation(ground, rows[node.row], region, n);
      value = found.value;
      if (value >= target) region = null;
      else if (node.drop.length) {
        const allowed = region.allowed.slice();
        for (const [i, j] of node.drop) {
          const k = ground.pairOf(i, j);
          if (k >= 0 && allowed[k] && found.reaches(k, target - value)) {
            allowed[k] = 0;
            dropped++;
          }
        }
        region = nonEmpty(ground, { ...region, allowed });
      }
    }
    const { split } = node;
    const outcome = empty ? "empty" : region === null ? "closed" : split === null ? "leaf" : "divided";
    ground.tell({ step: "node", node: n, nodes: tree.nodes.length, value, outcome, dropped, claimed: node.drop.length });
    if (split === null) {
      if (region) bound = least(bound, value);
    } else if (split === "again") waiting.push(region);
    else waiting.push(...children(ground, region, split));
  }
  return bound;
}

/** The second child and the first, in the order in which they are put on the stack. */
function children(ground, region, split) {
  if (!region) return [null, null];
  if ("most" in split) {
    const high = region.high.slice(), low = region.low.slice();
    high[split.server] = Math.min(high[split.server], split.most);
    low[split.server] = Math.max(low[split.server], split.most + 1);
    return [{ ...region, low }, { ...region, high }];
  }
  const { device, server } = ground.instance.pairs, named = new Set(split.servers);
  const kept = (inside) =>
    region.allowed.map((is, k) => Number(is && (device[k] !== split.device || named.has(server[k]) === inside)));
  return [false, true].map((inside) => nonEmpty(ground, { ...region, allowed: kept(inside) }));
}

/** The region; null if a device has no pair. */
function nonEmpty(ground, region) {
  const counts = countsOf(ground, region.allowed);
  return counts.every((count) => count > 0) ? region : null;
}

function countsOf(ground, allowed) {
  const counts = new Array(ground.instance.devices.id.length).fill(0);
  allowed.forEach((is, k) => (counts[ground.instance.pairs.device[k]] += is));
  return counts;
}
