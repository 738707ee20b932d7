// P1 in double precision, for speed: what a phone costs at a server, and what a server costs that serves a set of phones.

const MS = 1e3, LOG_2 = Math.log(2);

/** The numbers of an instance, phone by server: c_ij, a_ij, D_i, s_i [sqrt(TFLOP)], F_j [TFLOP/ms]. */
function numbersOf({ parameters: given, servers, devices, channel }) {
  const noise = 10 ** (given.noise_psd_dbm_per_hz / 10) * 1e-3, M = devices.id.length, E = servers.id.length;
  const pair = (value) => devices.id.map((_, i) => servers.id.map((__, j) => value(i, j)));
  return {
    M, E,
    lambda: given.sync_weight_per_ms,
    // c_ij = d_i / (W_j log2(1 + SNR_ij)), eq. (5)
    uplink: pair((i, j) => {
      const band = servers.bandwidth_hz[j];
      const snr = (channel.power_gain[i][j] * devices.tx_power_w[i]) / (noise * band);
      return (MS * devices.upload_bits[i] * LOG_2) / (band * Math.log1p(snr));
    }),
    // a_ij = w delta_CM W_j P_i / B_i, eq. (8)
    energy: pair((i, j) => (given.energy_weight_ms_per_j / devices.battery_fraction[i])
      * given.uplink_energy_j_per_mhz_w * (servers.bandwidth_hz[j] / 1e6) * devices.tx_power_w[i]),
    local: devices.device_flop.map((flop, i) => (MS * flop) / devices.compute_flop_per_s[i]),  // D_i, eq. (6)
    root: devices.server_flop.map((flop) => Math.sqrt(flop / 1e12)),
    speed: servers.compute_flop_per_s.map((flop) => flop / 1e12 / MS),
  };
}

/** Root u >= balance of u^2 (u - balance) = slope, by Newton from above. */
function inverseShare(balance, slope) {
  let u = balance + Math.cbrt(slope);
  for (let step = 0; step < 60; step++) {
    const change = (u * u * (u - balance) - slope) / (u * (3 * u - 2 * balance));
    u -= change;
    if (Math.abs(change) <= 1e-13 * u) break;
  }
  return Math.max(u, balance, 1);
}

/** The best share of band at a price of the whole band, as 1/y. */
function inverseAt({ lambda, uplink, energy, local }, i, j, price) {
  const c = uplink[i][j];
  return inverseShare(local[i] / c, (energy[i][j] + price) / (2 * lambda * c * c));
}

/** psi_ij(price): the least of lambda (D - c/y)^2 + (a + price) y over 0 < y <= 1. */
function bandCost(numbers, i, j, price) {
  const u = inverseAt(numbers, i, j, price), gap = numbers.local[i] - numbers.uplink[i][j] * u;
  return numbers.lambda * gap * gap + (numbers.energy[i][j] + price) / u;
}

/** The shares of a server's band, and the price at which they fit. */
function bandShares(numbers, members, j) {
  const inverse = (price) => members.map((i) => inverseAt(numbers, i, j, price));
  const sum = (us) => us.reduce((total, u) => total + 1 / u, 0);
  let price = 0, us = inverse(0);
  if (sum(us) > 1) {
    let low = 0, high = 1;
    while (sum(inverse(high)) > 1) [low, high] = [high, 4 * high];
    for (let step = 0; step < 60; step++) {
      price = (low + high) / 2;
      if (sum(inverse(price)) > 1) low = price;
      else high = price;
    }
    price = high;
    us = inverse(price);
  }
  const total = Math.max(1, sum(us));
  return { price, shares: us.map((u) => 1 / u / total) };
}

/** V_j(S): the least cost of a server that serves these phones [ms], with what it takes. */
function serverCost(numbers, members, j) {
  if (!members.length) return { cost: 0, root: 0, price: 0, shares: [] };
  const { price, shares } = bandShares(numbers, members, j);
  let root = 0, cost = 0;
  members.forEach((i, place) => {
    const gap = numbers.local[i] - numbers.uplink[i][j] / shares[place];
    root += numbers.root[i];
    cost += numbers.lambda * gap * gap + numbers.energy[i][j] * shares[place];
  });
  return { cost: cost + (root * root) / numbers.speed[j], root, price, shares };
}
