// A small network: who stands where, what each phone has to do, and the instance file that says so.

const SPEEDS = [82.9e12, 35.6e12, 11.2e12];  // FLOP/s: RTX 4090, RTX 3090, RTX 2080 Ti, as in uara/hardware.py
const SIDE_M = 400, NEAREST_M = 10, SERVER_HEIGHT_M = 10, DEVICE_HEIGHT_M = 1.5;

/** Random numbers in [0, 1) from a seed: mulberry32. */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const rounded = (value, digits = 4) => Number(value.toPrecision(digits));
const place = (random) => [rounded((random() - 0.5) * SIDE_M * 0.92), rounded((random() - 0.5) * SIDE_M * 0.92)];

function newPhone(random) {
  return {
    at: place(random),
    compute_flop_per_s: rounded(1e12 + random() * 1.2e12),
    tx_power_w: rounded(0.05 + random() * 0.15),
    battery_fraction: rounded(0.1 + random() * 0.9),
    upload_bits: Math.round(2000 + random() * 2500),
    device_flop: rounded(3e10 + random() * 4e10),
    server_flop: rounded(3e11 + random() * 6e11),
  };
}

const newServer = (random, number) => ({ at: place(random), compute_flop_per_s: SPEEDS[number % SPEEDS.length] });

function newNetwork(servers, phones, seed) {
  const random = randomNumbers(seed), network = { random, servers: [], phones: [], weight: 50, band_mhz: 2.5 };
  for (let j = 0; j < servers; j++) network.servers.push(newServer(random, j));
  for (let i = 0; i < phones; i++) network.phones.push(newPhone(random));
  return network;
}

/** Linear gain by 41 + 28 log10(d) dB (M. Kim et al., IEEE Trans. Mobile Comput. 23, 2024). */
function gain(phone, server) {
  const flat = Math.max(NEAREST_M, Math.hypot(phone.at[0] - server.at[0], phone.at[1] - server.at[1]));
  return rounded(10 ** -(4.1 + 2.8 * Math.log10(Math.hypot(flat, SERVER_HEIGHT_M - DEVICE_HEIGHT_M))), 7);
}

/** The instance as a file holds it. */
function instanceOf(network) {
  const { servers, phones } = network, column = (rows, key) => rows.map((row) => row[key]);
  return {
    schema_version: 1,
    kind: "p1",
    name: `play_e${servers.length}_m${phones.length}`,
    provenance: { channel_model: "path-loss", command: "uara play" },
    parameters: {
      sync_weight_per_ms: 0.01,
      energy_weight_ms_per_j: network.weight,
      device_efficiency_flop_per_j: 1e9,
      uplink_energy_j_per_mhz_w: 2.6,
      noise_psd_dbm_per_hz: -174,
      queue_slot_ms: 10,
      slot_ms: 1000,
    },
    servers: {
      id: servers.map((_, j) => `server${j}`),
      compute_flop_per_s: column(servers, "compute_flop_per_s"),
      bandwidth_hz: servers.map(() => network.band_mhz * 1e6),
      backlog_flop: servers.map(() => 0),
      position_m: servers.map(({ at }) => [...at, SERVER_HEIGHT_M]),
    },
    devices: {
      id: phones.map((_, i) => `device${i}`),
      ...Object.fromEntries(
        ["compute_flop_per_s", "tx_power_w", "battery_fraction", "upload_bits", "device_flop", "server_flop"]
          .map((key) => [key, column(phones, key)]),
      ),
      position_m: phones.map(({ at }) => [...at, DEVICE_HEIGHT_M]),
    },
    channel: { layout: "dense", power_gain: phones.map((phone) => servers.map((server) => gain(phone, server))) },
  };
}
