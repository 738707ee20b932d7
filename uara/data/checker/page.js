// The form: files are dropped or chosen, a worker checks them, and what it tells is shown as it comes.
"use strict";
(() => {
  const MOST_ROWS = 500;  // of nodes that are shown
  const OUTCOMES = { closed: "closed: the target is reached", empty: "holds no association", leaf: "leaf", divided: "divided" };

  /** What the worker does: it must not use anything from outside but the checker. */
  const serve = () => {
    self.onmessage = async ({ data: [instance, solution, side] }) => {
      let events = [], sent = performance.now();
      const flush = () => {
        self.postMessage({ events });
        events = [];
        sent = performance.now();
      };
      const hear = (event) => {
        events.push(event);
        if (performance.now() - sent > 60) flush();
      };
      const result = await uaraChecker.checkWith(instance, solution, side, hear);
      flush();
      self.postMessage({ result });
    };
  };

  /** Start a check; `hear` gets {events} and at last {result}. Returns how to stop it. */
  const begin = (instance, solution, side, hear) => {
    let ended = false;
    const here = () => {
      setTimeout(async () => {
        const events = [];
        const result = await uaraChecker.checkWith(instance, solution, side, (event) => events.push(event));
        if (ended) return;
        hear({ events });
        hear({ result });
      });
      return () => (ended = true);
    };
    try {
      const source = `${document.getElementById("uara-checker").textContent}\n;(${serve})();`;
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const worker = new Worker(url);
      const stop = () => {
        worker.terminate();
        URL.revokeObjectURL(url);
      };
      worker.onmessage = ({ data }) => {
        if (data.result) stop();
        hear(data);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        stop();
        hear({ result: { accepted: false, refusals: [], line: `REFUSED: the check failed: ${event.message || "no worker"}` } });
      };
      worker.postMessage([instance, solution, side]);
      return stop;
    } catch {  // a browser that gives this page no worker: it stands still for a while
      return here();
    }
  };

  const shown = (value, digits = 6) =>
    value === null || value === undefined ? "none" : Math.abs(value) < 1e15
      ? value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })
      : value.toExponential(6);
  const gap = (value) => (value === null ? "none" : value.toExponential(3));

  const mount = (root) => {
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    const files = { instance: null, side: null, solution: null };
    let stop = null;

    const row = (table, cells) => {
      const line = table.tBodies[0].insertRow();
      cells.forEach((cell, place) => {
        const made = line.insertCell();
        made.textContent = cell;
        made.className = table.tHead.rows[0].cells[place].className;
      });
      return line;
    };

    const clear = () => {
      if (stop) stop();
      stop = null;
      for (const name of ["servers", "nodes"]) {
        part(name).hidden = true;
        part(name).querySelector("tbody").replaceChildren();
      }
      part("refusals").replaceChildren();
      part("figures").replaceChildren();
      part("verdict").className = "verdict";
      for (const name of ["verdict", "doing", "more"]) part(name).textContent = "";
    };

    const busy = (is) => {
      part("progress").hidden = !is;
      part("stop").hidden = !is;
      part("run").disabled = is || !(files.instance && files.solution);
      root.setAttribute("aria-busy", String(is));
    };

    const hear = {
      instance: ({ ids, devices, name }) => {
        part("doing").textContent = `${name}: ${devices} devices, ${ids.length} servers`;
        part("servers").hidden = false;
        for (const id of ids) row(part("servers").querySelector("table"), [id, "", "", ""]);
      },
      objective: ({ counts, costs }) => {
        const lines = part("servers").querySelector("tbody").rows;
        counts.forEach((count, j) => {
          lines[j].cells[1].textContent = count;
          lines[j].cells[2].textContent = shown(costs[j]);
        });
      },
      prices: ({ rents }) => {
        part("term").textContent = "rent [ms]";
        rents.forEach((rent, j) => (part("servers").querySelector("tbody").rows[j].cells[3].textContent = shown(rent)));
      },
      server: ({ node, server, value }) => {
        part("doing").textContent = `node ${node}, server ${server}`;
        if (node > 0) return;
        part("term").textContent = "least at the root [ms]";
        part("servers").querySelector("tbody").rows[server].cells[3].textContent = shown(value);
      },
      node: ({ node, nodes, value, outcome, dropped, claimed }) => {
        part("bar").max = nodes;
        part("bar").value = node + 1;
        part("doing").textContent = `node ${node + 1} of ${nodes}`;
        part("nodes").hidden = false;
        if (node < MOST_ROWS)
          row(part("nodes").querySelector("table"), [
            node, shown(value), OUTCOMES[outcome], claimed === undefined ? "" : `${dropped} of ${claimed}`,
          ]);
        else part("more").textContent = `The first ${MOST_ROWS} nodes are shown, all ${nodes} are checked.`;
      },
      bound: () => {},
    };

    const finish = (result) => {
      stop = null;
      busy(false);
      const verdict = part("verdict");
      verdict.classList.add(result.accepted ? "yes" : "no");
      verdict.textContent = `${result.accepted ? "✓" : "✗"} ${result.line}`;
      for (const refusal of result.refusals.slice(1)) {
        const item = document.createElement("li");
        item.textContent = refusal;
        part("refusals").append(item);
      }
      if (result.objective === undefined) return;
      const lines = [
        ["objective, at most", `${shown(result.objective)} ms`],
        ["its controllable part", `${shown(result.controllable)} ms`],
        ["proven bound", result.bound === null ? "none" : `${shown(result.bound)} ms`],
        ["proven gap", gap(result.gap)],
        ["certificate", result.kind ?? "none"],
        ["claimed bound", result.claimed_bound === null ? "none" : `${shown(result.claimed_bound)} ms, the solver's word`],
      ];
      for (const [term, text] of lines) {
        const name = document.createElement("dt"), value = document.createElement("dd");
        name.textContent = term;
        value.textContent = text;
        part("figures").append(name, value);
      }
    };

    const run = () => {
      clear();
      part("bar").removeAttribute("value");
      part("doing").textContent = "reading";
      busy(true);
      const started = stop = begin(files.instance.bytes, files.solution.bytes, files.side && files.side.bytes, (said) => {
        if (stop !== started) return;  // of a check that was stopped
        for (const event of said.events ?? []) hear[event.step](event);
        if (said.result) {
          root.result = said.result;
          finish(said.result);
          root.dispatchEvent(new CustomEvent("checked", { detail: said.result }));
        }
      });
    };

    const give = (slot, name, bytes) => {
      files[slot] = { name, bytes };
      clear();
      part("given").textContent = Object.entries(files).filter(([, file]) => file)
        .map(([key, file]) => `${key === "side" ? "side file" : key}: ${file.name} (${file.bytes.length.toLocaleString("en")} bytes)`).join(", ");
      busy(false);
    };

    /** Say in one line why nothing is checked. */
    const refuse = (problem) => {
      clear();
      finish({ accepted: false, refusals: [problem], line: `REFUSED: ${problem}` });
    };

    /** Files of each kind; a solution says that it is one, and a side file begins as an archive does. */
    const take = async (list, slot = null) => {
      for (const file of list) {
        if (file.size > uaraChecker.MAX_BYTES)  // before it is read: a tab that runs out of memory says nothing
          return refuse(`${file.name}: ${file.size.toLocaleString("en")} bytes, more than the ${uaraChecker.MAX_BYTES.toLocaleString("en")} that are read`);
        const bytes = new Uint8Array(await file.arrayBuffer());
        const archive = bytes[0] === 0x50 && bytes[1] === 0x4b;
        const solution = !archive && /"kind"\s*:\s*"solution"/.test(new TextDecoder().decode(bytes));
        give(archive ? "side" : (slot ?? (solution ? "solution" : "instance")), file.name, bytes);
      }
      if (files.instance && files.solution) run();
    };

    for (const slot of ["instance", "solution"])
      part(slot).addEventListener("change", ({ target }) => take(target.files, slot));
    part("run").addEventListener("click", run);
    part("stop").addEventListener("click", () => {
      clear();
      busy(false);
      part("verdict").textContent = "Stopped: nothing is said of this proof.";
      part("run").focus();
    });
    const zone = root.querySelector(".drop");
    for (const kind of ["dragover", "dragleave", "drop"])
      root.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.toggle("over", kind === "dragover");
        if (kind === "drop") take(event.dataTransfer.files);
      });

    const stored = (id) => {
      const element = document.getElementById(id);
      const bytes = Uint8Array.from(atob(element.textContent.trim()), (character) => character.charCodeAt(0));
      return [element.dataset.name, bytes];
    };
    /** Check two files that the page holds, by the identifiers of their elements. */
    root.checkStored = (instance, solution) => {
      give("instance", ...stored(instance));
      give("solution", ...stored(solution));
      run();
    };
    if (document.getElementById("given-instance")) root.checkStored("given-instance", "given-solution");
  };

  for (const root of document.querySelectorAll(".checker")) mount(root);
  for (const button of document.querySelectorAll("[data-check]"))
    button.addEventListener("click", () => {
      const root = document.querySelector(".checker");
      root.checkStored(...button.dataset.check.split(" "));
      root.scrollIntoView();
    });
})();
