// The numbers of P1 (docs/model.md, eqs. (5)-(8)), each between exact bounds; milliseconds.

const exactly = (...values) => values.map(dyadic).reduce((product, value) => product.times(value));

/** top / bottom, each the product of its doubles, rounded to a side. */
const quotient = (top, bottom, side) => exactly(...top).over(exactly(...bottom), side);

const ONE = dyadic(1n), TWO = dyadic(2n);

class Quantities {
  constructor(instance) {
    const { servers, devices, parameters: given } = instance;
    this.instance = instance;
    this.sync = dyadic(given.sync_weight_per_ms);
    this.localLow = devices.id.map((_, i) => this.local(i, -1));
    this.localHigh = devices.id.map((_, i) => this.local(i, 1));
    this.wait = servers.id.map((_, j) => {
      const top = exactly(servers.backlog_flop[j], 1000), e = top.e;
      const bottom = exactly(servers.compute_flop_per_s[j], given.queue_slot_ms), lift = Math.min(e, bottom.e);
      const n = -floorDivide(-top.m << BigInt(e - lift), bottom.m << BigInt(bottom.e - lift));
      return dyadic(n).times(dyadic(given.queue_slot_ms));
    });
    const noise = powerOfTen(dyadic(given.noise_psd_dbm_per_hz));
    this.guesses = [];
    this.guessed = ONE;
    this.uplinkLow = [];
    this.uplinkHigh = [];
    this.bandCost = instance.pairs.device.map((i, k) => {
      const j = instance.pairs.server[k], band = servers.bandwidth_hz[j];
      const signal = exactly(instance.pairs.gain[k], devices.tx_power_w[i], 1000);
      const ratio = (side) => signal.over(noise[side < 0 ? 1 : 0].times(dyadic(band)).short(-side), side);
      const [bitsLow] = log2OnePlus(ratio(-1)), [, bitsHigh] = log2OnePlus(ratio(1));
      const load = exactly(devices.upload_bits[i], 1000), rate = (bit, side) => dyadic(band).times(bit).short(side);
      this.uplinkLow.push(load.over(rate(bitsHigh, 1), -1));
      this.uplinkHigh.push(load.over(rate(bitsLow, -1), 1));
      const weights = [given.energy_weight_ms_per_j, given.uplink_energy_j_per_mhz_w, band, devices.tx_power_w[i]];
      return (side) => quotient(weights, [1e6, devices.battery_fraction[i]], side);
    });
    this.bandCostLow = this.bandCost.map((at) => at(-1));
  }

  local(i, side) {
    const { device_flop: work, compute_flop_per_s: speed } = this.instance.devices;
    return quotient([work[i], 1000], [speed[i]], side);
  }

  /** The part of the objective that no decision touches. */
  constant(side) {
    const { devices, parameters: given } = this.instance;
    return devices.id.reduce((sum, _, i) => {
      const energy = quotient(
        [given.energy_weight_ms_per_j, devices.device_flop[i]],
        [given.device_efficiency_flop_per_j, devices.battery_fraction[i]],
        side,
      );
      return sum.plus((side < 0 ? this.localLow : this.localHigh)[i]).plus(energy).short(side);
    }, dyadic(0n));
  }

  /** A bound from below on sqrt(f_i). */
  rootFlop(i) {
    return dyadic(this.instance.devices.server_flop[i]).root(-1);
  }

  /** floor(2^places sqrt(f_i / F_j)): the load of a device in roots of milliseconds. */
  load(i, j, places) {
    const { server_flop: work } = this.instance.devices, { compute_flop_per_s: speed } = this.instance.servers;
    const top = exactly(work[i], 1000), bottom = dyadic(speed[j]), e = 2 * places + top.e - bottom.e;
    return isqrt(e >= 0 ? (top.m << BigInt(e)) / bottom.m : top.m / (bottom.m << BigInt(-e)));
  }

  /** psi_ij(mu) from below, in units of 2^-places: docs/proofs.md, "In a browser".
   *
   *  With a smaller c and a larger D, h(y) = lambda max(0, c / y - D)^2 + (a + mu) y is below the cost of the band at
   *  every y > 0, and convex: at any u >= 1 the tangent at y = 1 / u, at its lower end in 0 <= y <= 1, is a bound.
   */
  psi(k, mu, places) {
    const c = this.uplinkLow[k], cost = this.bandCostLow[k].plus(mu);
    const reached = c.times(this.guess(k, cost)), excess = reached.minus(this.localHigh[this.instance.pairs.device[k]]);
    if (excess.sign() <= 0) return 0n;
    const part = this.sync.times(excess);
    const atZero = part.times(excess.plus(reached).plus(reached));
    const slope = cost.minus(part.times(reached).times(this.guessed).times(TWO));
    const value = slope.sign() < 0 ? atZero.plus(slope) : atZero;
    return value.sign() > 0 ? value.floor(places) : 0n;
  }

  /** About the root u >= 1 of 2 lambda c^2 u^2 (u - D / c) = cost; any u of at least 1 is as valid.
   *
   *  With u = (1 + e) D / c it reads e (1 + e)^2 = q. A little less than the root loses least.
   */
  guess(k, cost) {
    this.guessed = ONE;
    const known = (this.guesses[k] ??= this.known(k));
    if (this.sync.sign() === 0) return ONE;
    const q = cost.times(known.factor).number();
    let e = Math.min(q, Math.cbrt(q));
    for (let turn = 0; turn < 60; turn++) {
      const next = e - (e * (1 + e) ** 2 - q) / ((1 + e) * (1 + 3 * e));
      if (!(Math.abs(next - e) > 2 ** -52 * e)) break;
      e = next;
    }
    if (!Number.isFinite(e) || e < 0) return ONE;
    const u = known.ratio.times(ONE.plus(dyadic(e * (1 - 2 ** -50))));
    if (u.compare(ONE) > 0) this.guessed = u;
    return this.guessed;
  }

  /** D / c, and c / (2 lambda D^3), of a pair. */
  known(k) {
    const c = this.uplinkLow[k], local = this.localHigh[this.instance.pairs.device[k]];
    if (this.sync.sign() === 0) return null;
    const factor = c.over(this.sync.times(local).times(local).times(local).times(TWO), -1);
    const stiff = Math.max(0, -bits(factor.m) - factor.e);  // the root differs from the ratio by so small a part
    return { ratio: local.over(c, 1, BITS + stiff), factor: new Dyadic(shifted(factor.m, 64 - bits(factor.m)), factor.e + bits(factor.m) - 64) };
  }
}
