// The map: things are dragged, the answer follows, and its certificate is checked when they come to rest.
"use strict";
(() => {
  const COLOURS = ["#0b5cb8", "#c2410c", "#0a7a4b", "#7e22ce", "#a16207", "#be185d", "#0e7490", "#4d7c0f"];
  const MOST_SERVERS = 8, MOST_PHONES = 48, SPACE = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id), map = byId("map");
  let network = newNetwork(4, 24, 7), answer = null, pending = null, checking = null;

  const drawn = (name, attributes, parent = map) => {
    const element = document.createElementNS(SPACE, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    parent.append(element);
    return element;
  };
  const shown = (value, digits = 1) => value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });

  const draw = () => {
    map.replaceChildren();
    const { servers, phones } = network, half = SIDE_M / 2;
    answer.association.forEach((j, i) =>
      drawn("line", { x1: phones[i].at[0], y1: phones[i].at[1], x2: servers[j].at[0], y2: servers[j].at[1],
        stroke: COLOURS[j], "stroke-width": 0.8 + 6 * answer.compute[i], "stroke-opacity": 0.45 }));
    const thing = (kind, number, { at }, colour, words) => {
      const group = drawn("g", { class: kind, tabindex: 0, role: "button", "aria-label": words,
        transform: `translate(${at[0]} ${at[1]})`, "data-kind": kind, "data-number": number });
      if (kind === "server") drawn("rect", { x: -9, y: -9, width: 18, height: 18, rx: 3, fill: colour }, group);
      else drawn("circle", { r: 4.5, fill: colour }, group);
      drawn("title", {}, group).textContent = words;
      return group;
    };
    phones.forEach((phone, i) => thing("phone", i, phone, COLOURS[answer.association[i]],
      `phone ${i}: server ${answer.association[i]}, ${shown(answer.latency[i], 0)} ms`));
    servers.forEach((server, j) => {
      const { phones: count } = answer.ends[j];
      const group = thing("server", j, server, COLOURS[j], `server ${j}: ${count} phones, ${shown(server.compute_flop_per_s / 1e12)} TFLOP/s`);
      drawn("text", { y: -13, "text-anchor": "middle" }, group).textContent = `${count}`;
    });
    map.setAttribute("viewBox", `${-half} ${-half} ${SIDE_M} ${SIDE_M}`);
  };

  const tell = () => {
    const mean = answer.latency.reduce((sum, value) => sum + value, 0) / answer.latency.length;
    byId("cost").textContent = `${shown(answer.cost)} ms`;
    byId("bound").textContent = `${shown(answer.bound)} ms`;
    byId("gap").textContent = `${(100 * answer.gap).toFixed(answer.gap < 1e-3 ? 4 : 2)} %`;
    byId("latency").textContent = `${shown(mean)} ms`;
    byId("servers").replaceChildren(...answer.ends.map(({ phones, price, shares }, j) => {
      const row = document.createElement("tr");
      const band = shares.reduce((sum, value) => sum + value, 0);
      const cells = [`server ${j}`, phones, `${shown(100 * band, 0)} %`, shown(answer.savings[j], 2), shown(price, 2)];
      cells.forEach((text, place) => {
        const cell = document.createElement(place ? "td" : "th");
        cell.textContent = text;
        if (!place) cell.style.color = COLOURS[j];
        row.append(cell);
      });
      return row;
    }));
  };

  const update = (effort) => {
    const began = performance.now();
    answer = solveNetwork(network, answer?.association ?? [], effort);
    draw();
    tell();
    const verdict = byId("verdict");
    verdict.className = "verdict";
    verdict.textContent = effort === "full" ? `solved in ${shown(performance.now() - began, 0)} ms; checking …` : "moving …";
    clearTimeout(checking);
    document.body.dataset.state = effort === "full" ? "checking" : "moving";
    if (effort !== "full") return;
    checking = setTimeout(() => {
      const start = performance.now(), files = filesOf(answer);
      const result = uaraChecker.check(files.instance, files.solution);
      verdict.classList.add(result.accepted ? "yes" : "no");
      verdict.textContent = result.accepted
        ? `✓ certificate checked in exact arithmetic, ${shown(performance.now() - start, 0)} ms: no association and no shares cost`
          + ` ${(100 * result.gap).toFixed(4)} % less`
        : `✗ ${result.line}`;
      window.uaraPlay.result = result;
      document.body.dataset.state = "checked";
    }, 30);
  };

  /** At most one quick answer a frame while something moves; a full one when it rests. */
  const moving = () => {
    pending ??= requestAnimationFrame(() => {
      pending = null;
      update("moving");
    });
  };
  const rest = () => {
    cancelAnimationFrame(pending);
    pending = null;
    update("full");
  };

  const thingOf = (element) => {
    const group = element.closest?.("g[data-kind]");
    return group && network[`${group.dataset.kind}s`][Number(group.dataset.number)];
  };
  const put = (thing, x, y) => {
    const most = SIDE_M / 2 - 8, within = (value) => Math.round(Math.max(-most, Math.min(most, value)) * 10) / 10;
    thing.at = [within(x), within(y)];
  };
  map.addEventListener("pointerdown", (event) => {
    const thing = thingOf(event.target);
    if (!thing) return;
    event.preventDefault();
    map.setPointerCapture(event.pointerId);
    const follow = ({ clientX, clientY }) => {
      const point = new DOMPoint(clientX, clientY).matrixTransform(map.getScreenCTM().inverse());
      put(thing, point.x, point.y);
      moving();
    };
    const end = () => {
      map.removeEventListener("pointermove", follow);
      rest();
    };
    map.addEventListener("pointermove", follow);
    map.addEventListener("pointerup", end, { once: true });
    map.addEventListener("pointercancel", end, { once: true });
  });
  map.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] }[event.key];
    const thing = step && thingOf(event.target);
    if (!thing) return;
    event.preventDefault();
    const { kind, number } = event.target.dataset;
    put(thing, thing.at[0] + step[0], thing.at[1] + step[1]);
    rest();
    map.querySelector(`g[data-kind="${kind}"][data-number="${number}"]`).focus();
  });

  const change = (id, act) => byId(id).addEventListener("click", () => {
    act();
    rest();
  });
  change("more-phones", () => network.phones.length < MOST_PHONES && network.phones.push(newPhone(network.random)));
  change("fewer-phones", () => network.phones.length > 1 && network.phones.pop());
  change("more-servers", () => network.servers.length < MOST_SERVERS && network.servers.push(newServer(network.random, network.servers.length)));
  change("fewer-servers", () => network.servers.length > 1 && network.servers.pop());
  change("new-network", () => {
    network = Object.assign(newNetwork(network.servers.length, network.phones.length, Math.floor(Math.random() * 2 ** 31)),
      { weight: network.weight, band_mhz: network.band_mhz });
    answer = null;
  });
  for (const [id, key] of [["weight", "weight"], ["band", "band_mhz"]])
    byId(id).addEventListener("input", ({ target }) => {
      network[key] = Number(target.value);
      byId(`${id}-value`).textContent = target.value;
      rest();
    });
  for (const name of ["instance", "solution"])
    byId(`save-${name}`).addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([filesOf(answer)[name]], { type: "application/json" }));
      link.download = name === "instance" ? "play.json" : "play_answer.json";
      link.click();
      URL.revokeObjectURL(link.href);
    });

  window.uaraPlay = { files: () => filesOf(answer), get answer() { return answer; }, result: null };
  rest();
})();
