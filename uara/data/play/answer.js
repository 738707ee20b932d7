// From a network to an answer with its proof, and to the two files that anyone can check.

/** Solve: an association and its exact shares, a bound, and the certificate.
 *
 *  `effort` is "moving" while something is dragged, or "full".
 */
function solveNetwork(network, start, effort) {
  const instance = instanceOf(network), numbers = numbersOf(instance), full = effort === "full";
  const search = bestAssociation(numbers, start, full ? 12 : 0, network.random);
  const proof = climb(numbers, search, full ? 150 : 12);
  const bandwidth = new Array(numbers.M), compute = new Array(numbers.M);
  const ends = search.sets.map((members, j) => {
    const end = serverCost(numbers, members, j);
    members.forEach((i, place) => {
      bandwidth[i] = end.shares[place];
      compute[i] = numbers.root[i] / end.root;
    });
    return { ...end, phones: members.length };
  });
  const association = search.association;
  const latency = association.map((j, i) => Math.max(numbers.local[i], numbers.uplink[i][j] / bandwidth[i])
    + numbers.root[i] ** 2 / (compute[i] * numbers.speed[j]));
  return {
    instance, association, bandwidth, compute, latency, ends,
    cost: search.cost,
    bound: proof.bound,
    gap: Math.max(0, search.cost - proof.bound) / search.cost,
    certificate: certificateOf(numbers, proof, search.cost),
    savings: ends.map(({ root }, j) => root ** 2 / numbers.speed[j] ** 2 / 1e3),  // ms for one more TFLOP/s
  };
}

/** Instance and solution as the bytes of files. */
function filesOf(answer) {
  const encode = (value) => new TextEncoder().encode(JSON.stringify(value, null, 1));
  const instance = encode(answer.instance);
  const digest = uaraChecker.digest(instance);
  const { association, bandwidth, compute, certificate } = answer;
  const solution = encode({
    schema_version: 1,
    kind: "solution",
    problem: "p1",
    instance: { name: answer.instance.name, digest },
    solver: "play",
    options: {},
    seed: 0,
    claims: { objective_ms: null, lower_bound_ms: null, certified_lower_bound_ms: null, status: "", ended: "", runtime_s: null },
    decision: { association, bandwidth, compute },
    certificate,
  });
  return { instance, solution };
}
