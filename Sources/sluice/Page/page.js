
"use strict";
// Everything from the data goes into the page as text: no markup is ever made of it, and no address.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const report = data.report, samples = data.samples;
  const main = document.getElementById("main");

  // Elements.
  const put = (node, parts) => {
    for (const part of parts.flat(Infinity)) if (part !== null && part !== undefined && part !== false) node.append(part instanceof Node ? part : String(part));
    return node;
  };
  const set = (node, attributes) => {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") node.addEventListener(name, value);
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    return node;
  };
  const h = (name, attributes, ...parts) => put(set(document.createElement(name), attributes), parts);
  const s = (name, attributes, ...parts) => put(set(document.createElementNS("http://www.w3.org/2000/svg", name), attributes), parts);
  const say = text => { document.getElementById("said").textContent = text; };

  // Figures.
  const count = number => Math.round(number).toLocaleString("en-US");
  const places = value => value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);
  const bytes = number => {
    let value = number;
    for (const unit of ["B", "kB", "MB", "GB", "TB"]) {
      if (value < 999.5 || unit === "TB") return (unit === "B" ? Math.round(value) : places(value)) + "\u2009" + unit;
      value /= 1000;
    }
  };
  const short = number => {
    let value = number;
    for (const unit of ["", "k", "M", "G"]) {
      if (value < 999.5 || unit === "G") return unit === "" ? (value < 10 && value % 1 ? value.toFixed(1) : count(value)) : places(value) + "\u2009" + unit;
      value /= 1000;
    }
  };
  const clock = seconds => {
    const whole = Math.round(seconds), two = number => String(number).padStart(2, "0");
    return whole < 3600 ? Math.floor(whole / 60) + ":" + two(whole % 60) : Math.floor(whole / 3600) + ":" + two(Math.floor(whole / 60) % 60) + ":" + two(whole % 60);
  };
  const time = seconds => seconds < 10 ? seconds.toFixed(2) + "\u2009s" : seconds < 60 ? seconds.toFixed(1) + "\u2009s" : clock(seconds);
  const percent = share => (share * 100).toFixed(share > 0 && share < 0.0995 ? 1 : 0) + "\u2009%";
  const cut = (text, most) => { const all = Array.from(text); return all.length > most ? all.slice(0, most - 1).join("") + "…" : text; };

  // Copying.
  // A text that a spreadsheet would take for a formula gets an apostrophe.
  const cell = value => {
    let text = value === null || value === undefined ? "" : String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = "'" + text;
    return /[",\r\n]/.test(text) ? "\"" + text.replaceAll("\"", "\"\"") + "\"" : text;
  };
  const csv = (columns, rows) => [columns.map(column => column.title), ...rows.map(row => columns.map(column => column.value(row)))].map(line => line.map(cell).join(",")).join("\r\n") + "\r\n";
  const copy = async (text, what) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = h("textarea", { class: "unseen" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say(what + " copied");
  };
  const copier = (what, columns, rows) => h("button", {
    type: "button", "aria-label": "Copy " + what + " as CSV",
    click: event => {
      const button = event.currentTarget;
      copy(csv(columns, rows()), what);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy as CSV"; }, 1500);
    },
  }, "Copy as CSV");

  // A section with its heading, and what stands beside it.
  const links = h("nav", { "aria-label": "Sections" });
  const section = (id, title, note, tools, ...parts) => {
    links.append(h("a", { href: "#" + id }, title));
    return h("section", { id, "aria-labelledby": id + "-title" },
      h("div", { class: "top" }, h("div", {}, h("h2", { id: id + "-title" }, title), note && h("p", { class: "soft" }, note)), tools && h("div", { class: "tools" }, tools)), parts);
  };

  // A table that is sorted, filtered and shown in pages. Columns: title, value, show, isText, cls, wide.
  const table = (what, columns, all, options = {}) => {
    const size = options.size || 25;
    let rows = all, order = null, page = 0;
    const body = h("tbody"), heads = [], shown = h("span");
    const back = h("button", { type: "button", click: () => { page -= 1; draw(); } }, "Previous");
    const next = h("button", { type: "button", click: () => { page += 1; draw(); } }, "Next");
    const pages = h("div", { class: "pages" }, back, next, shown);
    const cls = column => [column.isText ? "name" : "num", column.wide && "wide", column.cls].filter(Boolean).join(" ");
    const draw = () => {
      const from = page * size, part = rows.slice(from, from + size);
      body.replaceChildren(...part.map(row => h("tr", {}, columns.map((column, index) => {
        const value = column.value(row);
        const name = cls(column) + (column.isRed && value > 0 ? " red" : value === 0 ? " zero" : "");
        return h(index === 0 ? "th" : "td", index === 0 ? { scope: "row", class: name } : { class: name }, column.show ? column.show(value, row) : column.isText ? value : count(value));
      }))));
      back.disabled = page === 0;
      next.disabled = from + size >= rows.length;
      shown.textContent = rows.length === 0 ? "No rows" : count(from + 1) + "–" + count(Math.min(from + size, rows.length)) + " of " + count(rows.length);
      pages.hidden = all.length <= size;
    };
    const sort = index => {
      const column = columns[index];
      const isDown = order && order.index === index ? !order.isDown : !column.isText;
      order = { index, isDown };
      const sign = isDown ? -1 : 1;
      rows = [...rows].sort((a, b) => { const x = column.value(a), y = column.value(b); return sign * (x < y ? -1 : x > y ? 1 : 0); });
      heads.forEach((head, at) => set(head, { "aria-sort": at === index ? (isDown ? "descending" : "ascending") : "none" }));
      page = 0;
      draw();
    };
    const head = h("tr", {}, columns.map((column, index) => {
      const th = h("th", { scope: "col", class: cls(column), "aria-sort": "none" }, h("button", { type: "button", click: () => sort(index) }, column.title));
      heads.push(th);
      return th;
    }));
    const filter = all.length > 10 && options.filter !== false && h("input", {
      type: "search", placeholder: "Filter", "aria-label": "Filter " + what,
      input: event => {
        const text = event.currentTarget.value.toLowerCase();
        rows = all.filter(row => columns.some(column => column.isText && String(column.value(row) ?? "").toLowerCase().includes(text)));
        page = 0;
        if (order) { order.isDown = !order.isDown; sort(order.index); } else draw();
        say(count(rows.length) + " of " + count(all.length) + " " + what);
      },
    });
    draw();
    const foot = options.foot && h("tfoot", {}, h("tr", {}, columns.map((column, index) => h(index === 0 ? "th" : "td", { class: cls(column) }, options.foot[index] ?? ""))));
    return {
      tools: [filter, copier(what, columns.filter(column => !column.isDrawing), () => rows)],
      parts: [h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": what }, h("table", {}, h("caption", { class: "unseen" }, what), h("thead", {}, head), body, foot)), pages],
    };
  };

  // Time.
  const times = samples ? samples.samples.map(row => row[0] / 1e6) : [];
  const column = name => { const index = samples ? samples.columns.indexOf(name) : -1; return samples.samples.map(row => row[index]); };
  // At most so many moments, so that rates are of more than a few batches.
  const moments = most => {
    const last = times.length - 1, picked = [];
    for (let place = 0; place <= most; place += 1) {
      const index = Math.round(place * last / most);
      if (picked[picked.length - 1] !== index) picked.push(index);
    }
    return picked;
  };
  const rates = (values, at) => at.slice(1).map((index, place) => { const span = times[index] - times[at[place]]; return span > 0 ? (values[index] - values[at[place]]) / span : 0; });
  const nice = most => { const unit = Math.pow(10, Math.floor(Math.log10(most || 1))); return [1, 2, 2.5, 5, 10].map(step => step * unit).find(step => step >= most - 1e-9) || 10 * unit; };
  const moment = seconds => seconds < 120 ? (seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)) + "\u2009s" : clock(seconds);

  // A curve over time. `values` are between moments `at[i]` and `at[i + 1]`.
  const chart = (title, values, at, show) => {
    const most = nice(Math.max(...values, 1e-9)), end = times[at[at.length - 1]] || 1;
    const mean = values.reduce((sum, value, place) => sum + value * (times[at[place + 1]] - times[at[place]]), 0) / (end - times[at[0]] || 1);
    const calm = "average " + show(mean) + ", most " + show(Math.max(...values));
    const readout = h("span", {}, calm);
    const holder = h("div", { tabindex: "0", role: "img", "aria-label": title + ": " + calm });
    const box = h("div", { class: "chart" }, h("div", { class: "line" }, h("h3", {}, title), readout), holder);
    let chosen = null;
    const draw = () => {
      const width = Math.max(240, holder.clientWidth || 480), height = 150, left = 64, right = 8, top = 8, low = 22;
      const x = seconds => left + seconds / end * (width - left - right), y = value => top + (1 - value / most) * (height - top - low);
      const points = values.map((value, place) => x((times[at[place]] + times[at[place + 1]]) / 2).toFixed(1) + "," + y(value).toFixed(1));
      const first = x(times[at[0]]).toFixed(1), ending = x(end).toFixed(1);
      const shape = [first + "," + points[0].split(",")[1], ...points, ending + "," + points[points.length - 1].split(",")[1]];
      const ticks = width < 420 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
      const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, height, "aria-hidden": "true" },
        [0, 0.5, 1].map(part => [s("line", { class: "grid", x1: left, x2: width - right, y1: y(part * most), y2: y(part * most) }), s("text", { class: "soft", x: left - 8, y: y(part * most) + 4, "text-anchor": "end" }, show(part * most))]),
        ticks.map(part => s("text", { class: "soft", x: x(part * end), y: height - 5, "text-anchor": part === 0 ? "start" : part === 1 ? "end" : "middle" }, moment(part * end))),
        s("path", { class: "area", d: `M${first},${y(0)} L${shape.join(" L")} L${ending},${y(0)} Z` }),
        s("path", { class: "curve", d: "M" + shape.join(" L") }));
      if (chosen !== null) {
        const place = x((times[at[chosen]] + times[at[chosen + 1]]) / 2);
        svg.append(s("line", { class: "mark", x1: place, x2: place, y1: top, y2: height - low }));
      }
      const choose = event => {
        const bounds = svg.getBoundingClientRect(), seconds = ((event.clientX - bounds.left) / bounds.width * width - left) / (width - left - right) * end;
        const next = at.findIndex(index => times[index] > seconds);
        pick(Math.max(0, Math.min(values.length, next < 0 ? values.length : next) - 1));
      };
      svg.addEventListener("pointermove", choose);
      svg.addEventListener("pointerleave", () => pick(null));
      holder.replaceChildren(svg);
    };
    const pick = place => {
      if (place === chosen) return;
      chosen = place;
      readout.textContent = place === null ? calm : moment((times[at[place]] + times[at[place + 1]]) / 2) + ": " + show(values[place]);
      draw();
    };
    holder.addEventListener("keydown", event => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === "Escape") pick(null);
      if (!step) return;
      event.preventDefault();
      pick(Math.max(0, Math.min(values.length - 1, chosen === null ? 0 : chosen + step)));
      say(readout.textContent);
    });
    holder.addEventListener("blur", () => pick(null));
    drawings.push(draw);
    return box;
  };
  const drawings = [];

  // Busy and waiting for room over time, as areas of the workers' time.
  const strip = (index, at) => {
    const width = 220, height = 28;
    const workers = column("workers " + index), most = Math.max(samples.steps[index].workers, ...workers, 1) * 1e6, end = times[at[at.length - 1]] || 1;
    // Time is noted when it ends: what is more than there was room for belongs to the time before.
    const spread = (values, room) => {
      let rest = 0;
      return values.map((_, place) => values.length - 1 - place).map(place => {
        const span = times[at[place + 1]] - times[at[place]], amount = values[place] * span + rest, most = Math.max(0, room(place)) * span;
        rest = Math.max(0, amount - most);
        return span > 0 ? Math.min(amount, most) / span : 0;
      }).reverse();
    };
    const busy = spread(rates(column("busy " + index), at), () => most), waited = spread(rates(column("waited " + index), at), place => most - busy[place]);
    const area = (low, high, name) => {
      const x = place => (times[at[place]] / end * width).toFixed(1), y = value => (height - Math.min(1, value / most) * height).toFixed(1);
      const over = high.flatMap((value, place) => [x(place) + "," + y(value), x(place + 1) + "," + y(value)]);
      const under = low.flatMap((value, place) => [x(place) + "," + y(value), x(place + 1) + "," + y(value)]).reverse();
      return s("path", { class: "fill " + name, d: "M" + [...over, ...under].join(" L") + " Z" });
    };
    const none = busy.map(() => 0), all = busy.map((value, place) => value + waited[place]);
    return s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
      s("rect", { class: "fill idle", width, height }), area(none, busy, "busy"), area(busy, all, "room"));
  };
  const line = (values, at) => {
    const width = 110, height = 28, most = Math.max(1, ...values), end = times[at[at.length - 1]] || 1;
    const points = at.map(index => (times[index] / end * width).toFixed(1) + "," + (height - 2 - values[index] / most * (height - 4)).toFixed(1));
    return s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
      s("line", { class: "grid", x1: 0, x2: width, y1: height - 1.5, y2: height - 1.5 }), s("path", { class: "curve queue", d: "M" + points.join(" L") }));
  };

  // The ledger as a drawing: from inputs through stages to outputs.
  const flow = () => {
    const inputs = report.inputs, sinks = report.stages.filter(stage => stage.verb === "write").length;
    const sum = (list, key) => list.reduce((total, one) => total + one[key], 0);
    const names = new Map(report.stages.map((stage, index) => [stage.name, index + 1]));
    const many = (number, one) => count(number) + " " + one + (number === 1 ? "" : "s");
    const nodes = [{ title: many(data.input_count, "input"), under: bytes(sum(inputs, "bytes")), isEnd: true, parent: -1, notes: [] }];
    for (const [index, stage] of report.stages.entries()) {
      const notes = [];
      if (stage.added) notes.push({ text: "+ " + count(stage.added) + " added" });
      if (stage.absorbed) notes.push({ text: "− " + count(stage.absorbed) + " absorbed" });
      if (stage.filtered) notes.push({ text: "− " + count(stage.filtered) + " filtered" });
      if (stage.dead) notes.push({ text: "✕ " + count(stage.dead) + " dead", isDead: true });
      const parent = stage.after ? names.get(stage.after) ?? index : index;
      nodes.push({ title: stage.name, under: stage.verb === stage.name ? count(stage.out) + " out" : stage.verb, parent, notes, amount: stage.in, isSlow: data.slow === stage.name });
    }
    if (sinks === 1 && report.outputs.length) nodes.push({ title: many(data.output_count, "output"), under: bytes(sum(report.outputs, "bytes")), isEnd: true, parent: nodes.length - 1, notes: [], amount: report.records.written });
    let rows = 0;
    nodes.forEach((node, index) => {
      const parent = nodes[node.parent];
      node.depth = parent ? parent.depth + 1 : 0;
      node.row = parent && !parent.hasChild ? parent.row : rows++;
      if (parent) parent.hasChild = true;
    });
    const depth = Math.max(...nodes.map(node => node.depth)) + 1, most = Math.max(1, report.records.read);
    const holder = h("div", { class: "scroll flow", tabindex: "0", role: "img" });
    holder.setAttribute("aria-label", "Flow: " + report.stages.map(stage => `${stage.name}: ${count(stage.in)} in, ${count(stage.out)} out, ${count(stage.filtered)} filtered, ${count(stage.dead)} dead`).join("; "));
    drawings.push(() => {
      const box = { width: 140, height: 50 }, room = holder.clientWidth - 48;
      const isDown = depth * 140 + (depth - 1) * 70 > Math.max(room, 320), gap = isDown ? 40 : Math.min(120, Math.max(70, (room - depth * 140) / Math.max(1, depth - 1)));
      const lines = row => Math.max(0, ...nodes.filter(node => node.row === row).map(node => node.notes.length));
      const tops = [];
      for (let row = 0, top = 8; row < rows; row += 1) { tops.push(top); top += box.height + lines(row) * 17 + 34; }
      const left = node => isDown ? 8 + node.row * 330 : 2 + node.depth * (box.width + gap);
      const top = node => isDown ? 2 + node.depth * (box.height + gap) : tops[node.row];
      const wide = isDown ? 8 + (rows - 1) * 330 + 310 : depth * box.width + (depth - 1) * gap + 4;
      const high = isDown ? depth * (box.height + gap) - gap + 4 : tops[rows - 1] + box.height + lines(rows - 1) * 17 + 10;
      const svg = s("svg", { width: wide, height: high, viewBox: `0 0 ${wide} ${high}` });
      for (const node of nodes) {
        const parent = nodes[node.parent];
        if (!parent) continue;
        const thick = node.amount ? 1.5 + 8 * Math.sqrt(Math.min(1, node.amount / most)) : 1.5;
        if (isDown) {
          const x1 = left(parent) + 70, y1 = top(parent) + box.height, x2 = left(node) + 70, y2 = top(node), bend = y2 - gap / 2;
          svg.append(s("path", { class: "edge", "stroke-width": thick, d: x1 === x2 ? `M${x1},${y1} V${y2}` : `M${x1},${y1} V${bend} H${x2} V${y2}` }));
          if (node.amount !== undefined) svg.append(s("text", { class: "count", x: x2 + 12, y: y2 - 7 }, count(node.amount)));
        } else {
          const x1 = left(parent) + box.width, y1 = top(parent) + 25, x2 = left(node), y2 = top(node) + 25, bend = x2 - gap + 14;
          svg.append(s("path", { class: "edge", "stroke-width": thick, d: y1 === y2 ? `M${x1},${y1} H${x2}` : `M${x1},${y1} H${bend} V${y2} H${x2}` }));
          if (node.amount !== undefined) svg.append(s("text", { class: "count", x: y1 === y2 ? x2 - gap / 2 : (bend + x2) / 2, y: y2 - 10, "text-anchor": "middle" }, node.amount < 1e6 ? count(node.amount) : short(node.amount)));
        }
      }
      for (const node of nodes) {
        const x = left(node), y = top(node);
        svg.append(s("g", {}, s("title", {}, node.title),
          s("rect", { class: "box" + (node.isEnd ? " end" : "") + (node.isSlow ? " slow" : ""), x, y, width: box.width, height: box.height, rx: node.isEnd ? 25 : 6 }),
          s("text", { class: "strong", x: x + 70, y: y + (node.under ? 21 : 30), "text-anchor": "middle" }, cut(node.title, 17)),
          node.under && s("text", { class: "soft", x: x + 70, y: y + 38, "text-anchor": "middle" }, cut(node.under, 20)),
          node.notes.map((note, index) => s("text", isDown
            ? { class: note.isDead ? "dead" : "soft", x: x + box.width + 12, y: y + 30 - 8.5 * (node.notes.length - 1) + 17 * index }
            : { class: note.isDead ? "dead" : "soft", x: x + 70, y: y + box.height + 18 + 17 * index, "text-anchor": "middle" }, note.text))));
      }
      holder.replaceChildren(svg);
    });
    return holder;
  };

  // The page.
  const records = report.records, status = data.status, words = { unfinished: "not finished", complete: "complete", losses: "complete, with losses", failed: "failed", interrupted: "interrupted" };
  document.title = report.pipeline + ": " + words[status];
  // Of a run that has not come to its end there are samples only.
  const isBare = status === "unfinished";
  const seconds = report.elapsed_seconds, damages = report.inputs.flatMap(input => input.damage.map(damage => ({ ...damage, input: damage.file ?? input.file })));
  const text = samples && samples.samples.length ? samples.samples[samples.samples.length - 1][samples.columns.indexOf("text_bytes")] : 0;
  const tile = (title, value, name) => h("div", {}, h("dt", {}, title), h("dd", { class: name || "" }, value));
  const published = status === "complete" || status === "losses";
  main.append(
    h("header", {}, h("div", { class: "head" }, h("h1", {}, report.pipeline), h("span", { class: "badge " + status }, words[status])),
      samples && h("p", { class: "soft" }, "Began " + new Date(samples.began * 1000).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" })),
      h("ul", { class: "says" }, data.sentences.map(sentence => h("li", { class: sentence.kind }, sentence.text))),
      h("dl", { class: "tiles" },
        tile("Records read", count(records.read)), tile(published ? "Written" : "Not published", count(records.written)), !isBare && tile("Filtered", count(records.filtered)),
        tile("Dead letters", count(records.dead), records.dead ? "dead" : ""), !isBare && tile("Damaged places", count(data.damage_count), data.damage_count ? "dead" : ""),
        tile("Time", time(seconds)), text > 0 ? tile("Text per second", bytes(text / seconds)) : tile("Records per second", short(records.read / Math.max(seconds, 0.001))))),
    links);

  if (!isBare) main.append(section("flow", "What became of the records", report.balanced ? "Every record is accounted for." : "The ledger does not balance: some records are not accounted for.", null, flow()));

  if (samples && times.length > 3) {
    const at = moments(100), gauge = values => at.slice(1).map(index => values[index]);
    main.append(section("time", "Over time", null, copier("the samples", samples.columns.map((title, index) => ({ title, value: row => row[index] })), () => samples.samples),
      h("div", { class: "charts" },
        chart("Records per second", rates(column("records"), at), at, short), chart("Text per second", rates(column("text_bytes"), at), at, bytes),
        chart("Batches waiting for a worker", gauge(samples.samples.map(row => samples.steps.reduce((sum, step, index) => sum + row[samples.columns.indexOf("queued " + index)], 0))), at, short),
        chart("Memory", gauge(column("memory_bytes")), at, bytes))));
    const steps = data.steps, coarse = moments(60);
    const rest = step => Math.max(0, step.available - step.busy - step.waited), share = (part, step) => step.available > 0 ? part / step.available : 0;
    const work = table("where the time went", [
      { title: "Step", isText: true, value: step => step.name },
      { title: "Over time", isText: true, isDrawing: true, cls: "drawn", value: step => step.index, show: (index, step) => strip(index, coarse) },
      { title: "Busy", value: step => share(step.busy, step), show: percent },
      { title: "No room", value: step => share(step.waited, step), show: percent },
      { title: "Idle", value: step => share(rest(step), step), show: percent },
      { title: "Busy time", wide: true, value: step => step.busy, show: time },
      { title: "Workers", wide: true, value: step => step.workers },
      { title: "Queue", wide: true, isText: true, isDrawing: true, cls: "short", value: step => step.queued, show: (queued, step) => line(column("queued " + step.index), coarse) },
      { title: "Waiting", wide: true, value: step => step.queued, show: queued => queued.toFixed(1) },
    ], steps, { filter: false, size: 200 });
    main.append(section("work", "Where the time went", "Of the time of each step's workers, which share the threads of the run.", work.tools,
      h("ul", { class: "key" }, h("li", {}, h("i", { class: "busy" }), "busy"), h("li", {}, h("i", { class: "room" }), "waiting for room in the next step"), h("li", {}, h("i", {}), "waiting for input, or for a thread")), work.parts));
  }

  const ledger = table("the ledger", [
    { title: "Stage", isText: true, value: stage => stage.name }, { title: "Verb", isText: true, wide: true, cls: "short", value: stage => stage.verb },
    { title: "In", value: stage => stage.in }, { title: "Added", wide: true, value: stage => stage.added }, { title: "Out", value: stage => stage.out },
    { title: "Filtered", value: stage => stage.filtered }, { title: "Dead", isRed: true, value: stage => stage.dead }, { title: "Absorbed", wide: true, value: stage => stage.absorbed },
    { title: "Retries", wide: true, value: stage => stage.retries }, { title: "Timeouts", wide: true, value: stage => stage.timeouts }, { title: "Workers", wide: true, value: stage => stage.workers.peak },
  ], report.stages, { size: 200, foot: ["Whole run", "", count(records.read), count(records.added), count(records.written), count(records.filtered), count(records.dead), count(records.absorbed), "", "", ""] });
  if (!isBare) main.append(section("ledger", "Ledger", "in + added = out + filtered + dead + absorbed", ledger.tools, ledger.parts));

  if (records.dead > 0 && !isBare) {
    const groups = data.letters.groups;
    const columns = [
      { title: "Count", value: group => group.count }, { title: "Stage", value: group => group.stage }, { title: "Code", value: group => group.code },
      { title: "Message", value: group => group.template }, { title: "First at", value: group => group.examples.length ? group.examples[0].place : "" },
      { title: "First record", value: group => group.examples.length ? group.examples[0].raw : "" },
    ];
    const entry = group => h("details", {},
      h("summary", {}, h("span", { class: "many" }, count(group.count)), h("span", { class: "what" }, h("b", {}, group.stage), h("span", { class: "code mono" }, group.code), h("span", {}, group.template))),
      group.examples.map(example => h("div", { class: "example" }, h("div", { class: "mono soft" }, example.place), example.message !== group.template && h("div", {}, example.message), example.raw && h("pre", { class: "wrap" }, example.raw))));
    const first = 40, list = h("div", {}, groups.slice(0, first).map(entry));
    if (groups.length > 0) list.firstElementChild.open = true;
    const more = groups.length > first && h("button", { type: "button", click: event => { event.currentTarget.remove(); list.append(...groups.slice(first).map(entry)); } }, "Show all " + count(groups.length) + " kinds");
    main.append(section("letters", "Dead letters", data.letters.note, groups.length > 0 && copier("the dead letters", columns, () => groups), list, more));
  }

  if (damages.length > 0) {
    const damage = table("damage", [
      { title: "File", isText: true, value: one => one.input }, { title: "Kind", isText: true, cls: "short", value: one => one.kind }, { title: "At byte", value: one => one.offset },
      { title: "Member", wide: true, value: one => one.member }, { title: "Bytes lost", isRed: true, value: one => one.lost_bytes }, { title: "Text lost", wide: true, value: one => one.lost_text },
    ], damages);
    main.append(section("damage", "Damage", records.suspect > 0 ? count(records.suspect) + " records may differ from what was compressed." : null, damage.tools, damage.parts));
  }

  const inputs = table("inputs", [
    { title: "File", isText: true, value: input => input.file }, { title: "Records", value: input => input.records }, { title: "Written", value: input => input.written },
    { title: "Filtered", wide: true, value: input => input.filtered }, { title: "Dead", isRed: true, value: input => input.dead }, { title: "Damage", isRed: true, value: input => input.damage.length },
    { title: "Bytes", wide: true, value: input => input.bytes, show: bytes }, { title: "Read to its end", wide: true, isText: true, cls: "short", value: input => input.whole ? "yes" : "no" },
  ], report.inputs);
  if (!isBare) main.append(section("inputs", "Inputs", data.input_count > report.inputs.length ? count(report.inputs.length) + " of " + count(data.input_count) + ", those with losses first; the others are in the report.json." : null, inputs.tools, inputs.parts));

  if (report.outputs.length > 0) {
    const outputs = table("outputs", [
      { title: "File", isText: true, value: output => output.file }, { title: "Records", value: output => output.records }, { title: "Bytes", value: output => output.bytes, show: bytes },
      { title: "SHA-256", wide: true, isText: true, cls: "mono", value: output => output.sha256, show: sum => cut(sum, 17) },
    ], report.outputs);
    main.append(section("outputs", "Outputs", data.output_count > report.outputs.length ? count(report.outputs.length) + " of " + count(data.output_count) + "; the others are in the report.json." : null, outputs.tools, outputs.parts));
  }

  const fact = (title, value) => value && [h("dt", {}, title), h("dd", {}, value)];
  main.append(section("about", "The run", null, samples && samples.text && h("button", { type: "button", click: () => copy(samples.text, "the definition") }, "Copy the definition"),
    h("dl", { class: "facts" },
      fact("Definition", h("span", { class: "mono" }, report.definition)), fact("Pipeline file", samples && samples.file), fact("Made with", samples && samples.program),
      fact("Gzip", report.libraries && [report.libraries.inflate + " reads", report.libraries.deflate && "; " + report.libraries.deflate + " writes"]), fact("Threads", samples && count(samples.threads)),
      fact("Resumed at record", samples && samples.resumed_at && count(samples.resumed_at)), fact("Dead letters", records.dead > 0 && !isBare && h("span", { class: "mono" }, report.dead_letters.file)),
      fact("Report", report.digest && h("span", { class: "mono" }, report.digest))),
    samples && samples.text && h("pre", { tabindex: "0", "aria-label": "The pipeline file" }, samples.text)));
  main.append(h("footer", {}, "This page needs nothing but itself. " + data.made));

  const drawAll = () => drawings.forEach(draw => draw());
  drawAll();
  let width = window.innerWidth, timer = 0;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    clearTimeout(timer);
    timer = setTimeout(drawAll, 100);
  });
  window.addEventListener("beforeprint", drawAll);
})();
