// An instance of P1 as files hold it, with the ranges of its quantities, and its digest.

const SMALLEST = 1e-30, LARGEST = 1e30, MOST_INDEX = 2 ** 31 - 1;
const positive = number(SMALLEST, LARGEST), nonNegative = number(0, LARGEST);
const name = text(1, 200), point = listOf(number(-LARGEST, LARGEST), 3, 3);

/** A column; those that a side file holds have been put in their places. */
const column = (each) => listOf(each);

/** Most usable pairs: each takes a few kilobytes and some milliseconds, and a tab has a few gigabytes. */
const MOST_PAIRS = 200_000;

const PARAMETERS = {
  sync_weight_per_ms: [nonNegative, 1e-2],
  energy_weight_ms_per_j: [nonNegative, 50.0],
  device_efficiency_flop_per_j: [positive, 1e9],
  uplink_energy_j_per_mhz_w: [nonNegative, 2.6],
  noise_psd_dbm_per_hz: [number(-400, 200), -174.0],
  queue_slot_ms: [positive, 10.0],
  slot_ms: [positive, 1000.0],
};

const SERVERS = {
  id: [column(name)],
  compute_flop_per_s: [column(positive)],
  bandwidth_hz: [column(positive)],
  backlog_flop: [column(nonNegative)],
  model: [orNull(column(text())), null],
  position_m: [orNull(column(point)), null],
};

const DEVICES = {
  id: [column(name)],
  compute_flop_per_s: [column(positive)],
  tx_power_w: [column(positive)],
  battery_fraction: [column(number(SMALLEST, 1))],
  upload_bits: [column(positive)],
  device_flop: [column(positive)],
  server_flop: [column(positive)],
  task: [orNull(column(text())), null],
  model: [orNull(column(text())), null],
  position_m: [orNull(column(point)), null],
  battery_capacity_j: [orNull(column(positive)), null],
};

const PROVENANCE = {
  command: [text(), ""],
  seed: [orNull(anyWhole), null],
  channel_model: [text(), ""],
  scene: [text(), ""],
  task_profile: [text(), ""],
  task_profile_sha256: [text(), ""],
  acceptance: [text(), ""],
  versions: [mapOf(text()), null],
  settings: [mapOf(orNull(either(text(), number(), oneOf(true, false)))), null],
  credits: [listOf(text()), null],
};

const CHANNELS = {
  dense: record({ layout: [oneOf("dense")], power_gain: [column(listOf(nonNegative))] }),
  sparse: record({
    layout: [oneOf("sparse")],
    pair_start: [column(whole(0, MOST_INDEX))],
    pair_server: [column(whole(0, MOST_INDEX))],
    power_gain: [column(positive)],
  }),
};

const channel = (value, path) => {
  const layout = value instanceof Map ? value.get("layout") : undefined;
  if (layout !== "dense" && layout !== "sparse") refuse(`${path}.layout`, 'must be "dense" or "sparse"', layout);
  return CHANNELS[layout](value, path);
};

const INSTANCE = record({
  schema_version: [versionOne],
  kind: [oneOf("p1")],
  name: [name],
  provenance: [record(PROVENANCE), null],
  parameters: [record(PARAMETERS)],
  servers: [record(SERVERS)],
  devices: [record(DEVICES)],
  channel: [channel],
  side_file: [orNull(record({ name: [text(1)], sha256: [text(64, 64)] })), null],
});

/** The instance in a decoded file: its tables, and its usable pairs device by device. */
function readInstance(data) {
  const kind = data instanceof Map ? data.get("kind") : undefined;
  if (typeof kind === "string" && kind !== "p1") refuse("$.kind", 'this checker proves kind "p1" alone', kind);
  const found = INSTANCE(data, "$");
  checkTable(found.servers, "$.servers");
  checkTable(found.devices, "$.devices");
  const pairs = found.channel.layout === "dense" ? densePairs(found) : found.channel;
  if (pairs.pair_server.length > MOST_PAIRS)
    refuse("$.channel", `${pairs.pair_server.length} usable pairs, more than the ${MOST_PAIRS} that fit into a browser: use \`uara verify\``);
  checkPairs(found, pairs);
  const device = [];
  for (let i = 0; i < found.devices.id.length; i++)
    for (let k = pairs.pair_start[i]; k < pairs.pair_start[i + 1]; k++) device.push(i);
  return { ...found, pairs: { start: pairs.pair_start, server: pairs.pair_server, gain: pairs.power_gain, device } };
}

function checkTable(table, path) {
  if (!table.id.length) refuse(`${path}.id`, "there must be at least one");
  for (const [key, entries] of Object.entries(table))
    if (entries && entries.length !== table.id.length)
      refuse(`${path}.${key}`, `${entries.length} entries, but there are ${table.id.length} ids`);
  if (new Set(table.id).size !== table.id.length) refuse(`${path}.id`, "an id is given twice");
}

function densePairs(found) {
  const servers = found.servers.id.length, result = { pair_start: [0], pair_server: [], power_gain: [] };
  for (const [i, row] of found.channel.power_gain.entries()) {
    if (row.length !== servers)
      refuse(`$.channel.power_gain[${i}]`, `${row.length} entries, but there are ${servers} servers`);
    row.forEach((gain, j) => {
      if (gain === 0) return;
      result.pair_server.push(j);
      result.power_gain.push(positive(gain, `$.channel.power_gain[${i}][${j}]`));
    });
    result.pair_start.push(result.pair_server.length);
  }
  return result;
}

function checkPairs(found, pairs) {
  const { pair_start: start, pair_server: server, power_gain: gain } = pairs, path = "$.channel";
  const devices = found.devices.id.length, servers = found.servers.id.length;
  if (start.length !== devices + 1) refuse(path, `rows for ${start.length - 1} devices, but there are ${devices}`);
  if (gain.length !== server.length) refuse(path, `${gain.length} gains, but there are ${server.length} pairs`);
  if (start[0] !== 0 || start[devices] !== server.length)
    refuse(`${path}.pair_start`, `must rise from 0 to the number of pairs, ${server.length}`);
  for (let i = 0; i < devices; i++) {
    if (start[i + 1] <= start[i]) refuse(path, `device ${i} has no usable server`);
    for (let k = start[i]; k < start[i + 1]; k++) {
      if (server[k] >= servers) refuse(`${path}.pair_server[${k}]`, `names a server beyond the ${servers} there are`);
      if (k > start[i] && server[k] <= server[k - 1])
        refuse(`${path}.pair_server[${k}]`, "must increase within a device");
    }
  }
}

/** SHA-256 of the problem's data: everything but the name and the provenance. */
function digestOf(instance) {
  const encoder = new TextEncoder(), pieces = [];
  const lines = Object.keys(PARAMETERS).map((key) => `  "${key}": ${pythonFloat(instance.parameters[key])}`);
  pieces.push(encoder.encode(`{\n${lines.join(",\n")}\n}\n`));
  const isText = new Set(["id", "model", "task"]);
  for (const [table, schema] of [[instance.servers, SERVERS], [instance.devices, DEVICES]]) {
    for (const key of Object.keys(schema)) {
      if (table[key] === null) continue;
      pieces.push(encoder.encode(key));
      pieces.push(isText.has(key) ? encoder.encode(table[key].join("\0")) : doubles(table[key].flat()));
    }
  }
  const { start, server, gain } = instance.pairs;
  return sha256([...pieces, integers(start), integers(server), doubles(gain)]);
}

function doubles(values) {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, place) => view.setFloat64(8 * place, value, true));
  return new Uint8Array(view.buffer);
}

function integers(values) {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, place) => view.setBigInt64(8 * place, BigInt(value), true));
  return new Uint8Array(view.buffer);
}

/** A double as Python writes it: the shortest digits that name it, an exponent below 1e-4 and from 1e16 on. */
function pythonFloat(value) {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa, exponent] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    const size = String(Math.abs(power)).padStart(2, "0");
    return `${mantissa}e${power < 0 ? "-" : "+"}${size}`;
  }
  const shown = String(value);
  if (power >= -4 && power < 0 && shown.includes("e")) return value.toFixed(-power + mantissa.length);
  return shown.includes(".") ? shown : `${shown}.0`;
}
