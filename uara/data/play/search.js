// An association by local search: moves and exchanges on the exact server costs.

class Search {
  constructor(numbers) {
    this.numbers = numbers;
    this.sets = Array.from({ length: numbers.E }, () => []);
    this.costs = this.sets.map(() => 0);
  }

  get cost() {
    return this.costs.reduce((sum, value) => sum + value, 0);
  }

  get association() {
    const result = new Array(this.numbers.M).fill(-1);
    this.sets.forEach((members, j) => members.forEach((i) => (result[i] = j)));
    return result;
  }

  of(j, members) {
    return serverCost(this.numbers, members, j).cost;
  }

  put(j, members, cost = this.of(j, members)) {
    this.sets[j] = members;
    this.costs[j] = cost;
  }

  /** Phones without a server, or all of them, each where it costs least. */
  fill(association = []) {
    const { M, E } = this.numbers;
    for (let j = 0; j < E; j++) this.put(j, [...Array(M).keys()].filter((i) => association[i] === j));
    const waiting = [...Array(M).keys()].filter((i) => !(association[i] >= 0 && association[i] < E));
    for (const i of waiting.sort((a, b) => this.numbers.root[b] - this.numbers.root[a])) {
      let best = null;
      for (let j = 0; j < E; j++) {
        const cost = this.of(j, [...this.sets[j], i]), rise = cost - this.costs[j];
        if (!best || rise < best.rise) best = { j, cost, rise };
      }
      this.put(best.j, [...this.sets[best.j], i], best.cost);
    }
    return this;
  }

  /** Try new sets of two servers; true if they cost less. */
  offer(a, setA, b, setB) {
    const costA = this.of(a, setA);
    if (costA >= this.costs[a] + this.costs[b] - 1e-9) return false;
    const costB = this.of(b, setB);
    if (costA + costB >= this.costs[a] + this.costs[b] - 1e-9) return false;
    this.put(a, setA, costA);
    this.put(b, setB, costB);
    return true;
  }

  moves() {
    let better = false;
    for (let i = 0; i < this.numbers.M; i++) {
      for (let b = 0; b < this.numbers.E; b++) {
        const a = this.sets.findIndex((members) => members.includes(i));
        if (a !== b && this.offer(b, [...this.sets[b], i], a, this.sets[a].filter((other) => other !== i))) better = true;
      }
    }
    return better;
  }

  exchanges() {
    let better = false;
    for (let a = 0; a < this.numbers.E; a++)
      for (let b = a + 1; b < this.numbers.E; b++)
        for (const i of [...this.sets[a]])
          for (const k of [...this.sets[b]]) {
            if (!this.sets[a].includes(i) || !this.sets[b].includes(k)) continue;
            const setA = [...this.sets[a].filter((other) => other !== i), k];
            const setB = [...this.sets[b].filter((other) => other !== k), i];
            if (this.offer(a, setA, b, setB)) better = true;
          }
    return better;
  }

  settle() {
    while (this.moves() || this.exchanges());
    return this;
  }
}

/** The best association that is found: from a given one, and from shaken copies of the best. */
function bestAssociation(numbers, start, kicks, random) {
  let best = new Search(numbers).fill(start).settle();
  const fresh = kicks ? new Search(numbers).fill().settle() : best;
  if (fresh.cost < best.cost) best = fresh;
  for (let kick = 0; kick < kicks; kick++) {
    const shaken = best.association;
    for (let n = 0; n < 3; n++) shaken[Math.floor(random() * numbers.M)] = Math.floor(random() * numbers.E);
    const other = new Search(numbers).fill(shaken).settle();
    if (other.cost < best.cost - 1e-9) best = other;
  }
  return best;
}
