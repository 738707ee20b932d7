// The decision: is it feasible, and what does it cost at most.

const DECISION = record({
  association: [listOf(whole(0, MOST_INDEX))],
  bandwidth: [listOf(number())],
  compute: [listOf(number())],
});

/** The constraints that are broken, and upper bounds on the controllable part and on the whole. */
function objectiveOf(quantities, decision) {
  const { instance } = quantities, { servers, devices, pairs, parameters: given } = instance;
  for (const key of ["association", "bandwidth", "compute"])
    if (decision[key].length !== devices.id.length)
      refuse(`$.decision.${key}`, `${decision[key].length} entries, but there are ${devices.id.length} devices`);
  const billion = dyadic(10n ** 9n), most = dyadic(10n ** 9n + 1n);  // 1 + 1e-9, a billion times
  const sumY = servers.id.map(() => dyadic(0n)), sumZ = servers.id.map(() => dyadic(0n));
  const broken = [], costs = servers.id.map(() => dyadic(0n)), counts = servers.id.map(() => 0);
  devices.id.forEach((id, i) => {
    const j = decision.association[i], shown = shortened(id);
    let k = pairs.start[i];
    while (k < pairs.start[i + 1] && pairs.server[k] !== j) k++;
    if (k === pairs.start[i + 1]) {
      broken.push(`(3) ${shown} has no usable server`);
      return;
    }
    const y = dyadic(decision.bandwidth[i]), z = dyadic(decision.compute[i]);
    const share = (value) => value.sign() > 0 && value.times(billion).compare(most) <= 0;
    if (!share(y) || !share(z)) {
      broken.push(`(4), (7) a share of ${shown} is not in (0, 1]`);
      return;
    }
    sumY[j] = sumY[j].plus(y);
    sumZ[j] = sumZ[j].plus(z);
    const remote = exactly(devices.server_flop[i], 1000).over(z.times(dyadic(servers.compute_flop_per_s[j])), 1);
    const low = quantities.localLow[i].minus(quantities.uplinkHigh[k].over(y, 1));
    const high = quantities.localHigh[i].minus(quantities.uplinkLow[k].over(y, -1));
    const far = low.negative().compare(high) > 0 ? low : high;  // the end whose square is larger
    const sync = quantities.sync.times(far).times(far);
    const sending = quantities.bandCost[k](1).times(y);
    costs[j] = costs[j].plus(quantities.wait[j]).plus(remote).plus(sync).plus(sending).short(1);
    counts[j]++;
  });
  servers.id.forEach((id, j) => {
    const over = (sum) => sum.times(billion).compare(most) > 0;
    if (over(sumY[j])) broken.push(`(4) the band of ${shortened(id)} is shared out to ${sumY[j].number()}`);
    if (over(sumZ[j])) broken.push(`(7) the compute of ${shortened(id)} is shared out to ${sumZ[j].number()}`);
  });
  const controllable = costs.reduce((sum, cost) => sum.plus(cost), dyadic(0n)).short(1);
  const whole = controllable.plus(quantities.constant(1));
  if (!broken.length && !Number.isFinite(whole.number())) broken.push("the objective is not finite");
  return { broken, controllable, whole, costs, counts };
}
