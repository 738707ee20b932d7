// The verdict on an instance and a solution: each claim is computed again in exact arithmetic and held against the file.

const SOLUTION = record({
  schema_version: [versionOne],
  kind: [oneOf("solution")],
  problem: [text()],
  instance: [record({ name: [text()], digest: [text(64, 64, /^[0-9a-f]{64}$/)] })],
  solver: [text(), ""],
  options: [mapOf(() => {}), null],
  seed: [(value, path) => (anyWhole(value, path) < 0n ? refuse(path, "must be at least 0", value) : value), 0n],
  claims: [record({
    objective_ms: [orNull(number()), null],
    lower_bound_ms: [orNull(number()), null],
    certified_lower_bound_ms: [orNull(number()), null],
    status: [oneOf("", "optimal", "feasible", "infeasible"), ""],
    ended: [oneOf("", "completed", "time_limit", "interrupted"), ""],
    runtime_s: [orNull(number(0)), null],
  }), null],
  decision: [mapOf(() => {})],
  certificate: [orNull(mapOf(() => {})), null],
});

const NO_CLAIMS = { objective_ms: null, lower_bound_ms: null, certified_lower_bound_ms: null, status: "" };
const PROVERS = { prices: provePrices, branches: proveBranches, "device-prices": proveDevicePrices };
const OPTIMAL_GAP = 1e-4 * (1 + 1e-6);

/** Most band costs that are kept: some hundred bytes each. */
const MOST_HELD = 5_000_000;

/** What every certificate meets: the instance, its numbers, and a grid of 2^-places ms that fits its objective. */
class Ground {
  constructor(instance, quantities, scale, tell) {
    // 110 bits for the controllable part, 2^-64 ms at least; an even number, since loads are in units of 2^-(places / 2)
    const places = Math.max(64, 110 - (bits(scale.m) + scale.e));
    this.places = places + (places % 2);
    this.instance = instance;
    this.quantities = quantities;
    this.constantLow = quantities.constant(-1);
    this.tell = tell;
    const { device, server } = instance.pairs;
    this.pairsAt = instance.servers.id.map(() => []);
    this.index = new Map();
    this.psis = new Map();
    this.held = 0;
    this.waits = quantities.wait.map((wait) => wait.floor(this.places));
    server.forEach((j, k) => {
      this.pairsAt[j].push(k);
      this.index.set(device[k] * instance.servers.id.length + j, k);
    });
  }

  /** floor(2^(places / 2) sqrt(f_i / F_j)) of each pair. */
  get loads() {
    const { device, server } = this.instance.pairs;
    this._loads ??= device.map((i, k) => this.quantities.load(i, server[k], this.places / 2));
    return this._loads;
  }

  /** A bound from below on sqrt(f_i) of each device. */
  get roots() {
    this._roots ??= this.instance.devices.id.map((_, i) => this.quantities.rootFlop(i));
    return this._roots;
  }

  /** wait + psi of pair k at a band price, on the grid; each is computed once. */
  cost(k, mu) {
    if (!this.psis.has(mu)) this.psis.set(mu, { price: dyadic(mu), found: new Map() });
    const { price, found } = this.psis.get(mu);
    if (!found.has(k)) {
      if (++this.held > MOST_HELD)
        throw new Refusal(`the certificate asks for more than ${MOST_HELD} costs, which do not fit into a browser: use \`uara verify\``);
      found.set(k, this.waits[this.instance.pairs.server[k]] + this.quantities.psi(k, price, this.places));
    }
    return found.get(k);
  }

  pairOf(i, j) {
    const servers = this.instance.servers.id.length;
    return j < servers ? (this.index.get(i * servers + j) ?? -1) : -1;
  }
}

/** Check the bytes of an instance and of a solution; `tell` hears of each step; `side` is what `unpack` made of a side file.
 *
 *  The result is plain data: accepted, objective, bound, gap, refusals and one line that says it all.
 */
function check(instanceBytes, solutionBytes, tell = () => {}, side = null) {
  try {
    const instance = readInstance(fillFromSideFile(readJson(instanceBytes, "instance"), side));
    tell({ step: "instance", name: instance.name, ids: instance.servers.id, devices: instance.devices.id.length });
    const solution = SOLUTION(readJson(solutionBytes, "solution"), "$");
    return { name: instance.name, solver: solution.solver, ...judge(instance, solution, tell) };
  } catch (error) {
    if (error instanceof Refusal) return refused([error.message]);
    return refused([`the check failed, so that nothing is proven: ${error.message}`]);
  }
}

/** The digest of an instance file, as solutions name it. */
const digest = (instanceBytes) => digestOf(readInstance(readJson(instanceBytes, "instance")));

const refused = (refusals, found = {}) => ({ ...found, accepted: false, refusals, line: `REFUSED: ${refusals[0]}` });

function judge(instance, solution, tell) {
  const digest = digestOf(instance);
  if (solution.problem !== "p1") refuse("$.problem", 'this checker proves kind "p1" alone', solution.problem);
  if (solution.instance.digest !== digest)
    refuse("$.instance", `the solution is for ${shortened(solution.instance.name)} (digest ` +
      `${solution.instance.digest.slice(0, 12)}...), not for this instance (digest ${digest.slice(0, 12)}...)`);
  const decision = DECISION(solution.decision, "$.decision");
  const kind = solution.certificate?.get("kind");
  if (solution.certificate && !Object.hasOwn(PROVERS, String(kind)))
    refuse("$.certificate.kind", `must be one of ${Object.keys(PROVERS).join(", ")}`, kind ?? null);
  const quantities = new Quantities(instance), score = objectiveOf(quantities, decision);
  tell({ step: "objective", counts: score.counts, costs: score.costs.map((cost) => cost.number()),
    objective: score.broken.length ? null : score.whole.number() });
  let proven = null, places = null;
  if (solution.certificate) {
    const scale = score.broken.length ? dyadic(1n) : score.controllable;
    const ground = new Ground(instance, quantities, scale, (event) => tell(inMilliseconds(event, ground)));
    places = ground.places;
    proven = new Dyadic(PROVERS[kind](ground, solution.certificate), -places);
    tell({ step: "bound", value: proven.plus(ground.constantLow).number() });
  }
  return verdict(solution.claims ?? NO_CLAIMS, score, proven, quantities, kind ?? null);
}

/** The same with the bytes of a side file, or null; it returns a promise. */
async function checkWith(instanceBytes, solutionBytes, sideBytes, tell) {
  let side = null;
  try {
    side = sideBytes && (await unpack(sideBytes));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refused([error.message]);
  }
  return check(instanceBytes, solutionBytes, tell, side);
}

/** Whole numbers of the grid as doubles, for showing. */
function inMilliseconds(event, { places }) {
  const shown = (value) =>
    typeof value === "bigint" ? new Dyadic(value, -places).number() : Array.isArray(value) ? value.map(shown) : value;
  return Object.fromEntries(Object.entries(event).map(([key, value]) => [key, shown(value)]));
}

function verdict(claims, score, proven, quantities, kind) {
  const refusals = score.broken.map((text) => `infeasible: ${text}`), feasible = !refusals.length;
  const constant = quantities.constant(-1), bound = proven && proven.plus(constant);
  const objective = score.whole.number(), slack = feasible ? slackOf(score) : dyadic(0n);
  const difference = (what, claimed, found) =>
    refusals.push(`${what}: claimed ${claimed} ms, found ${found} ms, difference ${(claimed - found).toPrecision(3)} ms`);
  const above = (one, other) => one.compare(other.plus(slack)) > 0;
  const finite = bound !== null && Number.isFinite(bound.number());
  if (bound && !finite) refusals.push("the certificate proves no bound: its numbers leave double precision");
  const { objective_ms: stated, certified_lower_bound_ms: certified, lower_bound_ms: claimed, status } = claims;
  if (stated !== null && feasible && (above(dyadic(stated), score.whole) || above(score.whole, dyadic(stated))))
    difference("objective", stated, objective);
  if (stated === null && ["optimal", "feasible"].includes(status)) refusals.push(`${status} is claimed without an objective`);
  if (status === "infeasible" && feasible) refusals.push("infeasible is claimed of a decision that keeps every constraint");
  if (certified !== null && !bound) refusals.push(`a certified lower bound of ${certified} ms is claimed without a certificate`);
  if (certified !== null && finite && above(dyadic(certified), bound))
    difference("certified lower bound", certified, bound.number());
  for (const [what, value] of [["claimed", claimed === null ? null : dyadic(claimed)], ["certified", finite ? bound : null]])
    if (value && feasible && above(value, score.whole))
      difference(`${what} lower bound above the objective`, value.number(), objective);
  const gapOf = (value) => {
    if (!value || !feasible || score.controllable.sign() <= 0) return null;
    const open = score.whole.minus(value);
    return open.sign() <= 0 ? 0 : open.over(score.controllable, 1).number();
  };
  const gap = finite ? gapOf(bound) : null, gaps = [gap, claimed === null ? null : gapOf(dyadic(claimed))];
  const best = Math.min(...gaps.filter((value) => value !== null), Infinity);
  if (status === "optimal" && !(best <= OPTIMAL_GAP))
    refusals.push(`optimal is claimed, which is a gap of 0.0001; the gap is ${best === Infinity ? "unknown" : best.toPrecision(3)}`);
  const found = {
    kind,
    objective: feasible ? objective : null,
    controllable: feasible ? score.controllable.number() : null,
    bound: finite ? bound.number() : null,
    controllable_bound: finite ? proven.number() : null,
    gap,
    claimed_bound: claimed,
    claimed_gap: gaps[1],
  };
  if (refusals.length) return refused(refusals, found);
  return { ...found, accepted: true, refusals, line: `ACCEPTED: ${sentence(found)}` };
}

/** The largest difference that counts as rounding: 1e-9 of the controllable part, and four last places of the whole. */
function slackOf(score) {
  const value = dyadic(score.whole.number());
  const ulp = new Dyadic(1n, Math.max(bits(value.m) + value.e - 53, -1074));
  return score.controllable.over(dyadic(10n ** 9n), -1).plus(ulp.times(dyadic(4n)));
}

function sentence({ gap, claimed_gap: claimed, kind }) {
  if (gap !== null) return `no association whatever costs less than the bound; the gap is ${gap.toExponential(2)}`;
  if (claimed !== null) return "the objective holds; nothing is proven, the claimed bound is the solver's word";
  return kind ? "the objective holds" : "the objective holds; there is no certificate, so that nothing is proven";
}
