
"use strict";
// Everything from the data goes into the page as text: no markup is ever made of it, and no address.
const page = (() => {
  const first = JSON.parse(document.getElementById("data").textContent);
  const main = document.getElementById("main");
  // What is shown. On the page of a run that goes on, it changes every second.
  let data, report, samples, times;

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
      const area = h("textarea", { class: "unseen" }), held = document.activeElement;
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      held?.focus({ preventScroll: true });
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

  // A table that is sorted, filtered and shown in pages. Columns: title, value, show, isText, cls, wide. `read` gives its rows.
  const table = (what, columns, read, options = {}) => {
    const size = options.size || 25;
    let all = read(), rows = all, order = null, start = 0, wanted = "";
    const body = h("tbody"), heads = [], shown = h("span");
    const back = h("button", { type: "button", click: () => { start -= size; draw(); } }, "Previous");
    const next = h("button", { type: "button", click: () => { start += size; draw(); } }, "Next");
    const pages = h("div", { class: "pages" }, back, next, shown);
    const cls = column => [column.isText ? "name" : "num", column.wide && "wide", column.cls].filter(Boolean).join(" ");
    // Only what is different changes, so that nothing loses the focus.
    const fill = (cell, column, row) => {
      const value = column.value(row), content = column.show ? column.show(value, row) : column.isText ? value : count(value);
      cell.className = cls(column) + (column.isRed && value > 0 ? " red" : value === 0 ? " zero" : "");
      if (content instanceof Node) {
        if (cell.firstChild !== content) cell.replaceChildren(content);
      } else if (cell.firstElementChild || cell.textContent !== String(content ?? "")) cell.textContent = String(content ?? "");
    };
    const draw = () => {
      if (start >= rows.length) start = Math.max(0, Math.floor((rows.length - 1) / size) * size);
      const part = rows.slice(start, start + size);
      while (body.rows.length > part.length) body.lastElementChild.remove();
      while (body.rows.length < part.length) body.append(h("tr", {}, columns.map((_, index) => h(index === 0 ? "th" : "td", index === 0 ? { scope: "row" } : {}))));
      part.forEach((row, place) => columns.forEach((column, index) => fill(body.rows[place].cells[index], column, row)));
      back.disabled = start === 0;
      next.disabled = start + size >= rows.length;
      shown.textContent = rows.length === 0 ? "No rows" : count(start + 1) + "–" + count(Math.min(start + size, rows.length)) + " of " + count(rows.length);
      pages.hidden = all.length <= size;
      if (filter) filter.hidden = all.length <= 10 && !wanted;
      if (foot) columns.forEach((_, index) => { foot.cells[index].textContent = options.foot()[index] ?? ""; });
    };
    const arrange = () => {
      rows = wanted ? all.filter(row => columns.some(column => column.isText && String(column.value(row) ?? "").toLowerCase().includes(wanted))) : all;
      if (!order) return;
      const value = columns[order.index].value, sign = order.isDown ? -1 : 1;
      rows = [...rows].sort((a, b) => { const x = value(a), y = value(b); return sign * (x < y ? -1 : x > y ? 1 : 0); });
    };
    const sort = index => {
      const isDown = order && order.index === index ? !order.isDown : !columns[index].isText;
      order = { index, isDown };
      heads.forEach((head, at) => set(head, { "aria-sort": at === index ? (isDown ? "descending" : "ascending") : "none" }));
      start = 0;
      arrange();
      draw();
    };
    const head = h("tr", {}, columns.map((column, index) => {
      const th = h("th", { scope: "col", class: cls(column), "aria-sort": "none" }, h("button", { type: "button", click: () => sort(index) }, column.title));
      heads.push(th);
      return th;
    }));
    const filter = options.filter !== false && h("input", {
      type: "search", placeholder: "Filter", "aria-label": "Filter " + what,
      input: event => {
        wanted = event.currentTarget.value.toLowerCase();
        start = 0;
        arrange();
        draw();
        say(count(rows.length) + " of " + count(all.length) + " " + what);
      },
    });
    const foot = options.foot && h("tr", {}, columns.map((column, index) => h(index === 0 ? "th" : "td", { class: cls(column) })));
    draw();
    return {
      tools: [filter, copier(what, columns.filter(column => !column.isDrawing), () => rows)],
      parts: [h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": what }, h("table", {}, h("caption", { class: "unseen" }, what), h("thead", {}, head), body, foot && h("tfoot", {}, foot))), pages],
      refresh: () => { all = read(); arrange(); draw(); },
    };
  };

  // Time.
  const column = name => { const index = samples ? samples.columns.indexOf(name) : -1; return samples.samples.map(row => row[index]); };
  // At most so many moments and one, and as far apart as samples are of late, so that rates are of more than a few batches.
  const moments = most => {
    const last = times.length - 1, middle = Math.floor(last / 2), picked = [0];
    const gap = Math.max(times[last] / most, (times[last] - times[middle]) / Math.max(1, last - middle)) * 0.99;
    for (let index = 1; index < last; index += 1) if (times[index] - times[picked[picked.length - 1]] >= gap) picked.push(index);
    if (picked.length > 1 && times[last] - times[picked[picked.length - 1]] < gap / 2) picked.pop();
    if (last > 0) picked.push(last);
    return picked;
  };
  // A total falls where a process has resumed from a checkpoint of the one before it.
  const rates = (values, at) => at.slice(1).map((index, place) => { const span = times[index] - times[at[place]]; return span > 0 ? Math.max(0, values[index] - values[at[place]]) / span : 0; });
  // A total that grows in leaps, as batches are committed: what has come with a leap has come evenly since the one before it. While a run goes on, the next leap is on its way for as long as the last one was.
  const even = values => {
    const spread = [...values];
    let from = 0, pace = 0, gap = 0;
    for (let index = 1; index < values.length; index += 1) {
      if (values[index] === values[from]) continue;
      gap = times[index] - times[from];
      pace = gap > 0 ? Math.max(0, values[index] - values[from]) / gap : 0;
      if (pace > 0) for (let place = from + 1; place < index; place += 1) spread[place] = values[from] + pace * (times[place] - times[from]);
      from = index;
    }
    if (data.live) for (let place = from + 1; place < values.length; place += 1) spread[place] += pace * Math.min(gap, times[place] - times[from]);
    return spread;
  };
  // The growth of a total in a second: between moments, and on average over all of the time.
  const growth = (values, at) => {
    const rises = values.slice(1).reduce((sum, value, place) => sum + Math.max(0, value - values[place]), 0);
    return { values: rates(even(values), at), mean: rises / (times[times.length - 1] - times[0] || 1) };
  };
  const nice = most => { const unit = Math.pow(10, Math.floor(Math.log10(most || 1))); return [1, 2, 2.5, 5, 10].map(step => step * unit).find(step => step >= most - 1e-9) || 10 * unit; };
  const moment = seconds => seconds < 120 ? (seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)) + "\u2009s" : clock(seconds);
  // Round moments from 0 to `end`, at most `most` and one, as texts below a curve whose place for a moment `x` tells.
  const scale = (end, most, x, y) => {
    const day = 86400, step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200].find(step => end / step <= most) || day * Math.ceil(end / day / most);
    const texts = [];
    for (let place = 0; place * step <= end + 1e-9; place += 1) {
      const seconds = place * step, text = end < 120 ? seconds.toFixed(step < 1 ? 1 : 0) + "\u2009s" : clock(seconds);
      texts.push(s("text", { class: "soft", x: x(seconds).toFixed(1), y, "text-anchor": place === 0 ? "start" : x(end) - x(seconds) < 20 ? "end" : "middle" }, text));
    }
    return texts;
  };

  // Draws again when the window's width has changed.
  let drawings = [];

  // A curve over time. `read` gives values between moments `at[i]` and `at[i + 1]`.
  const chart = (title, read, show) => {
    let values, at, mean, most, end, calm, chosen = null;
    const readout = h("span"), holder = h("div", { tabindex: "0", role: "img" });
    const node = h("div", { class: "chart" }, h("div", { class: "line" }, h("h3", {}, title), readout), holder);
    const measure = () => {
      ({ values, at, mean } = read());
      most = nice(Math.max(...values, 1e-9));
      end = times[at[at.length - 1]] || 1;
      mean ??= values.reduce((sum, value, place) => sum + value * (times[at[place + 1]] - times[at[place]]), 0) / (end - times[at[0]] || 1);
      calm = "average " + show(mean) + ", most " + show(Math.max(...values));
      set(holder, { "aria-label": title + ": " + calm });
      if (chosen !== null) chosen = Math.min(chosen, values.length - 1);
      tell();
    };
    const tell = () => { readout.textContent = chosen === null ? calm : moment((times[at[chosen]] + times[at[chosen + 1]]) / 2) + ": " + show(values[chosen]); };
    const draw = () => {
      const width = Math.max(240, holder.clientWidth || 480), height = 150, left = 64, right = 8, top = 8, low = 22;
      const x = seconds => left + seconds / end * (width - left - right), y = value => top + (1 - value / most) * (height - top - low);
      const points = values.map((value, place) => x((times[at[place]] + times[at[place + 1]]) / 2).toFixed(1) + "," + y(value).toFixed(1));
      const begin = x(times[at[0]]).toFixed(1), ending = x(end).toFixed(1);
      const shape = [begin + "," + points[0].split(",")[1], ...points, ending + "," + points[points.length - 1].split(",")[1]];
      const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, height, "aria-hidden": "true" },
        [0, 0.5, 1].map(part => [s("line", { class: "grid", x1: left, x2: width - right, y1: y(part * most), y2: y(part * most) }), s("text", { class: "soft", x: left - 8, y: y(part * most) + 4, "text-anchor": "end" }, show(part * most))]),
        scale(end, width < 420 ? 4 : 6, x, height - 5),
        s("path", { class: "area", d: `M${begin},${y(0)} L${shape.join(" L")} L${ending},${y(0)} Z` }),
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
      tell();
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
    measure();
    drawings.push(draw);
    return { node, refresh: () => { measure(); draw(); } };
  };

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

  // Records that a place in the ledger has passed on, committed or not; samples of earlier versions know those that are committed.
  const passed = place => column((samples.columns.includes("passed " + place) ? "passed " : "out ") + place);
  // Records that were read: those that are committed, and those that a stage with workers of its own has finished before that.
  const finished = () => {
    const own = samples.steps.filter(step => step.kind === "own").map(step => samples.places.indexOf(step.name)).filter(place => place >= 0);
    const ahead = own.map(place => { const out = column("out " + place); return passed(place).map((records, row) => records - out[row]); });
    return column("records").map((records, row) => records + Math.max(0, ...ahead.map(values => values[row])));
  };

  // What left each stage in a second, and what waits for it: a row for each, all with the same time axis. Moments are chosen in all rows at once.
  const stages = () => {
    const grid = h("div", { class: "stages" });
    let rows = [], at = [], end = 1, chosen = null;
    const each = number => short(number);
    const read = () => {
      at = moments(100);
      end = times[at[at.length - 1]] || 1;
      const known = new Set(samples.steps.map(step => step.name)), found = samples.steps.map((step, index) => {
        const place = step.kind === "reading" || step.kind === "writing" ? -1 : samples.places.indexOf(step.name);
        const out = step.kind === "reading" ? column("text_bytes") : step.kind === "writing" ? column("written") : place < 0 ? column("batches " + index) : passed(place);
        const { values, mean } = growth(out, at);
        return {
          name: step.kind === "reading" || step.kind === "writing" ? step.kind : step.name, isSlow: data.slow === step.name && step.kind !== "reading" && step.kind !== "writing",
          unit: step.kind === "reading" ? "bytes of text" : step.kind === "writing" || place >= 0 ? "records" : "batches", show: step.kind === "reading" ? bytes : each,
          rates: values, mean,
          queue: step.kind === "reading" || step.kind === "writing" ? null : (values => at.slice(1).map(index => values[index]))(column("queued " + index)),
        };
      });
      // Sinks of routes are encoded in one step.
      const sinks = samples.places.flatMap((name, place) => {
        if (known.has(name)) return [];
        const { values, mean } = growth(passed(place), at);
        return [{ name, unit: "records", show: each, rates: values, mean, queue: null }];
      });
      found.splice(found.length - 1, 0, ...sinks);
      return found;
    };
    const middle = place => (times[at[place]] + times[at[place + 1]]) / 2;
    const mean = values => values.reduce((sum, value, place) => sum + value * (times[at[place + 1]] - times[at[place]]), 0) / (end - times[at[0]] || 1);
    const calm = (values, show, average = mean(values)) => "average " + show(average) + ", most " + show(Math.max(...values));
    const told = (row, place) => row.name + ", " + moment(middle(place)) + ": " + row.show(row.rates[place]) + (row.unit === "bytes of text" ? " of text" : " " + row.unit) + " per second" + (row.queue ? ", " + count(row.queue[place]) + (row.queue[place] === 1 ? " batch waits" : " batches wait") : "");
    const room = 4;
    const curve = (holder, values, name) => {
      const width = Math.max(100, holder.clientWidth || 240), height = 34, most = Math.max(...values, 1e-9);
      const x = seconds => room + seconds / end * (width - 2 * room), y = value => 2 + (1 - value / most) * (height - 4);
      const points = values.map((value, place) => x(middle(place)).toFixed(1) + "," + y(value).toFixed(1)), begin = x(times[at[0]]).toFixed(1), ending = x(end).toFixed(1);
      const shape = [begin + "," + points[0].split(",")[1], ...points, ending + "," + points[points.length - 1].split(",")[1]].join(" L");
      const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, height, "aria-hidden": "true" }, s("line", { class: "grid", x1: room, x2: width - room, y1: y(0), y2: y(0) }),
        s("path", { class: "area " + name, d: `M${begin},${y(0)} L${shape} L${ending},${y(0)} Z` }), s("path", { class: "curve " + name, d: "M" + shape }));
      if (chosen !== null) svg.append(s("line", { class: "mark", x1: x(middle(chosen)), x2: x(middle(chosen)), y1: 0, y2: height }));
      holder.replaceChildren(svg);
    };
    const axis = holder => {
      const width = Math.max(100, holder.clientWidth || 240), x = seconds => room + seconds / end * (width - 2 * room);
      holder.replaceChildren(s("svg", { viewBox: `0 0 ${width} 18`, height: 18, "aria-hidden": "true" }, scale(end, width < 260 ? 2 : 4, x, 13)));
    };
    const pick = place => {
      if (place === chosen) return;
      chosen = place;
      draw();
    };
    const plot = () => {
      const readout = h("span", { class: "soft" }), holder = h("div");
      holder.addEventListener("pointermove", event => {
        const bounds = holder.getBoundingClientRect(), seconds = (event.clientX - bounds.left - room) / (bounds.width - 2 * room) * end, next = at.findIndex(index => times[index] > seconds);
        pick(Math.max(0, Math.min(at.length - 1, next < 0 ? at.length - 1 : next) - 1));
      });
      holder.addEventListener("pointerleave", () => pick(null));
      return { node: h("div", { class: "plot" }, readout, holder), readout, holder };
    };
    const make = () => {
      const name = h("span", { class: "stage-name" }), rate = plot(), queue = plot();
      const node = h("div", { class: "stage", tabindex: "0", role: "img" }, h("div", {}, name), rate.node, queue.node);
      const one = { node, name, rate, queue };
      node.addEventListener("keydown", event => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], line = { ArrowUp: -1, ArrowDown: 1 }[event.key];
        if (event.key === "Escape") pick(null);
        if (!step && !line) return;
        event.preventDefault();
        const place = drawn.indexOf(one);
        if (step) pick(Math.max(0, Math.min(at.length - 2, chosen === null ? 0 : chosen + step)));
        const next = line ? Math.max(0, Math.min(rows.length - 1, place + line)) : place;
        if (line) drawn[next].node.focus();
        if (chosen !== null) say(told(rows[next], chosen));
      });
      node.addEventListener("blur", event => { if (!event.relatedTarget || !grid.contains(event.relatedTarget)) pick(null); });
      return one;
    };
    const head = h("div", { class: "stage-head", "aria-hidden": "true" }, h("span", {}, "Stage"), h("span", {}, "Left the stage, per second"), h("span", {}, "Batches waiting for it"));
    const scales = [h("div"), h("div")], foot = h("div", { class: "stage-head", "aria-hidden": "true" }, h("span"), scales);
    const drawn = [];
    grid.append(head, foot);
    const text = (node, value) => { if (node.textContent !== value) node.textContent = value; };
    const draw = () => {
      rows.forEach((row, place) => {
        const one = drawn[place], unit = row.unit === "records" ? "" : row.unit === "batches" ? " batches" : "";
        text(one.name, row.name);
        one.name.className = "stage-name" + (row.isSlow ? " marked" : "");
        set(one.node, { "aria-label": row.name + ": " + row.unit + " per second: " + calm(row.rates, row.show, row.mean) + (row.queue ? "; batches waiting: " + calm(row.queue, each) : "") });
        text(one.rate.readout, (chosen === null ? calm(row.rates, row.show, row.mean) : moment(middle(chosen)) + ": " + row.show(row.rates[chosen])) + unit);
        curve(one.rate.holder, row.rates, "");
        text(one.queue.readout, row.queue ? chosen === null ? calm(row.queue, each) : moment(middle(chosen)) + ": " + each(row.queue[chosen]) : "");
        if (row.queue) curve(one.queue.holder, row.queue, "queue"); else one.queue.holder.replaceChildren();
      });
      scales.forEach(axis);
    };
    const refresh = () => {
      rows = read();
      if (chosen !== null) chosen = Math.min(chosen, at.length - 2);
      while (drawn.length > rows.length) drawn.pop().node.remove();
      while (drawn.length < rows.length) {
        const one = make();
        drawn.push(one);
        grid.insertBefore(one.node, foot);
      }
      draw();
    };
    const columns = [
      { title: "Seconds", value: one => Number(middle(one.place).toFixed(3)) }, { title: "Stage", value: one => one.row.name },
      { title: "Per second", value: one => Number(one.row.rates[one.place].toFixed(3)) }, { title: "Unit", value: one => one.row.unit },
      { title: "Queue", value: one => one.row.queue ? one.row.queue[one.place] : "" },
    ];
    drawings.push(() => { if (rows.length) draw(); });
    return { node: grid, refresh, tools: copier("the stages over time", columns, () => rows.flatMap(row => row.rates.map((_, place) => ({ row, place })))) };
  };

  // The ledger as a drawing: from inputs through stages to outputs.
  const layout = () => {
    const inputs = report.inputs, sinks = report.stages.filter(stage => stage.verb === "write").length;
    const sum = (list, key) => list.reduce((total, one) => total + one[key], 0);
    const names = new Map(report.stages.map((stage, index) => [stage.name, index + 1]));
    const many = (number, one) => count(number) + " " + one + (number === 1 ? "" : "s");
    const nodes = [{ title: many(data.input_count, "input"), under: bytes(data.live ? data.live.bytes_read : sum(inputs, "bytes")), isEnd: true, parent: -1, notes: [] }];
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
    return { nodes, rows };
  };
  // Stages count records; bytes are known where they are read and written.
  const sizes = () => {
    const sum = list => list.reduce((total, one) => total + one.bytes, 0), text = samples && samples.samples.length ? samples.samples[samples.samples.length - 1][samples.columns.indexOf("text_bytes")] : 0;
    const read = bytes(data.live ? data.live.bytes_read : sum(report.inputs)) + (data.input_count > report.inputs.length && !data.live ? " of the listed inputs" : " of inputs");
    const parts = [read + (text > 0 ? ", " + bytes(text) + " of text" : "")];
    if (report.outputs.length) parts.push(bytes(sum(report.outputs)) + (data.output_count > report.outputs.length ? " of the listed outputs" : " of outputs"));
    return parts.join("; ") + ". Stages count records, not bytes.";
  };
  // Whether the drawing goes down the page, as it is too long to go across it; `room` is what it has there.
  const direction = ({ nodes }) => {
    const depth = Math.max(...nodes.map(node => node.depth)) + 1, room = main.clientWidth - (window.innerWidth <= 640 ? 58 : 98);
    return { depth, room, isDown: depth * 140 + (depth - 1) * 70 > Math.max(room, 320) };
  };
  // A drawing that goes down without branches leaves room for the curves at its side.
  const arrange = () => {
    const drawn = !isBare() && samples && times.length > 3 && layout();
    main.classList.toggle("beside", Boolean(drawn) && drawn.rows === 1 && direction(drawn).isDown);
  };
  const flow = () => {
    const holder = h("div", { class: "scroll flow", tabindex: "0", role: "img" });
    const draw = () => {
      const drawn = layout(), { nodes, rows } = drawn, { depth, room, isDown } = direction(drawn), most = Math.max(1, report.records.read);
      holder.setAttribute("aria-label", "Flow: " + report.stages.map(stage => `${stage.name}: ${count(stage.in)} in, ${count(stage.out)} out, ${count(stage.filtered)} filtered, ${count(stage.dead)} dead`).join("; "));
      const box = { width: 140, height: 50 };
      const gap = isDown ? 40 : Math.min(120, Math.max(70, (room - depth * 140) / Math.max(1, depth - 1)));
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
    };
    drawings.push(draw);
    return { node: holder, refresh: draw };
  };

  // What stands above the sections.
  const words = { running: "running", draining: "draining", unfinished: "not finished", killed: "ended without a report", complete: "complete", losses: "complete, with losses", failed: "failed", interrupted: "interrupted" };
  // Of a run that has written no report there are samples only.
  const isBare = () => data.status === "unfinished" || data.status === "killed";
  // What is not known yet is not nothing.
  const known = (value, show) => typeof value === "number" ? show(value) : "–";
  const tiles = () => {
    const records = report.records, seconds = report.elapsed_seconds, isWritten = data.live || data.status === "complete" || data.status === "losses";
    const text = samples && samples.samples.length ? samples.samples[samples.samples.length - 1][samples.columns.indexOf("text_bytes")] : 0;
    return [
      ["Records read", count(records.read)], [isWritten ? "Written" : "Not published", count(records.written)], !isBare() && ["Filtered", count(records.filtered)],
      ["Dead letters", count(records.dead), records.dead ? "dead" : ""], !isBare() && ["Damaged places", count(data.damage_count), data.damage_count ? "dead" : ""],
      data.live && samples && samples.steps.some(step => step.kind === "own") && ["More in stages", count(data.live.records_in_stages)],
      ["Time", data.live ? clock(seconds) : time(seconds)], data.live && ["Records per second", known(data.live.records_per_second, short)],
      data.live ? ["Text per second", known(data.live.bytes_per_second, bytes)] : text > 0 ? ["Text per second", bytes(text / seconds)] : ["Records per second", short(records.read / Math.max(seconds, 0.001))],
    ].filter(Boolean);
  };
  const heading = tools => {
    const title = h("h1"), badge = h("span"), began = h("p", { class: "soft" }), says = h("ul", { class: "says" }), list = h("dl", { class: "tiles" });
    const done = h("progress", { max: 1, "aria-label": "Share of the run that is done" }), share = h("span", { class: "share" }), bar = h("div", { class: "bar" }, done, share);
    const text = (node, value) => { if (node.textContent !== value) node.textContent = value; };
    const refresh = () => {
      text(title, report.pipeline);
      badge.className = "badge " + data.status;
      text(badge, words[data.status] || data.status);
      began.hidden = !samples;
      if (samples) text(began, "Began " + new Date(samples.began * 1000).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" }));
      const isKnown = data.live && typeof data.live.share === "number";
      bar.hidden = !isKnown;
      if (isKnown) {
        done.value = data.live.share;
        text(share, Math.floor(data.live.share * 100) + "\u2009%" + (typeof data.live.seconds_left === "number" ? ", " + clock(data.live.seconds_left) + " to go" : ""));
      }
      document.title = (isKnown ? Math.floor(data.live.share * 100) + " % " : "") + report.pipeline + ": " + (words[data.status] || data.status);
      while (says.children.length > data.sentences.length) says.lastElementChild.remove();
      while (says.children.length < data.sentences.length) says.append(h("li"));
      data.sentences.forEach((sentence, place) => { says.children[place].className = sentence.kind; text(says.children[place], sentence.text); });
      const now = tiles();
      if (list.children.length !== now.length) list.replaceChildren(...now.map(() => h("div", {}, h("dt"), h("dd"))));
      now.forEach(([title, value, name], place) => {
        const [dt, dd] = list.children[place].children;
        text(dt, title);
        text(dd, value);
        dd.className = name || "";
      });
    };
    return { node: h("header", {}, h("div", { class: "head" }, title, badge, tools), began, bar, says, list), refresh };
  };

  // The sections, each of which appears once there is something to show. `make` gives what stands in it, and how to refresh it.
  const queued = () => samples.samples.map(row => samples.steps.reduce((sum, step, index) => sum + row[samples.columns.indexOf("queued " + index)], 0));
  const control = { of: () => null };
  const sections = [
    {
      id: "flow", title: "What became of the records", when: () => !isBare(),
      make: () => {
        const note = h("p", { class: "soft" }), drawing = flow();
        const refresh = () => {
          note.textContent = (data.live ? "As far as it is committed." : report.balanced ? "Every record is accounted for." : "The ledger does not balance: some records are not accounted for.") + " " + sizes();
          drawing.refresh();
        };
        return { note, parts: drawing.node, refresh };
      },
    },
    {
      id: "time", title: "Over time", when: () => samples && times.length > 3,
      make: () => {
        const rate = read => () => { const at = moments(100); return { at, ...growth(read(), at) }; };
        const gauge = read => () => { const at = moments(100), values = read(); return { at, values: at.slice(1).map(index => values[index]) }; };
        const charts = [
          chart("Records per second", rate(finished), short), chart("Text per second", rate(() => column("text_bytes")), bytes),
          chart("Batches waiting for a worker", gauge(queued), short), chart("Memory", gauge(() => column("memory_bytes")), bytes),
        ];
        return {
          tools: copier("the samples", samples.columns.map((title, index) => ({ title, value: row => row[index] })), () => samples.samples),
          parts: h("div", { class: "charts" }, charts.map(one => one.node)), refresh: () => charts.forEach(one => one.refresh()),
        };
      },
    },
    {
      id: "stages", title: "Stages over time", when: () => samples && times.length > 3,
      make: () => {
        const { node, refresh, tools } = stages();
        return { note: h("p", { class: "soft" }, "All rows have the same time axis; each curve has a scale of its own, whose highest value is named."), tools, parts: node, refresh };
      },
    },
    {
      id: "work", title: "Where the time went", when: () => samples && times.length > 3,
      make: () => {
        const rest = step => Math.max(0, step.available - step.busy - step.waited), share = (part, step) => step.available > 0 ? part / step.available : 0;
        const work = table("where the time went", [
          { title: "Step", isText: true, cls: "step", value: step => step.name, show: (name, step) => data.slow === name ? h("span", { class: "marked" }, name) : name },
          { title: "Workers", wide: !data.live, value: step => control.of(step)?.workers ?? step.workers, show: (workers, step) => control.of(step)?.node ?? count(workers) },
          { title: "Busy", value: step => share(step.busy, step), show: percent },
          { title: "No room", value: step => share(step.waited, step), show: percent },
          { title: "Idle", value: step => share(rest(step), step), show: percent },
          { title: "Over time", isText: true, isDrawing: true, cls: "drawn", value: step => step.index, show: index => strip(index, moments(60)) },
          { title: "Busy time", wide: true, value: step => step.busy, show: time },
          { title: "Queue over time", wide: true, isText: true, isDrawing: true, cls: "short", value: step => step.queued, show: (queued, step) => line(column("queued " + step.index), moments(60)) },
          { title: "Average queue", wide: true, value: step => step.queued, show: queued => queued.toFixed(1) },
        ], () => data.steps, { filter: false, size: 200 });
        return {
          note: h("p", { class: "soft" }, "Of the time of each step’s workers, which share the threads of the run."), tools: work.tools, refresh: work.refresh,
          parts: [h("ul", { class: "key" }, h("li", {}, h("i", { class: "busy" }), "busy"), h("li", {}, h("i", { class: "room" }), "waiting for room in the next step"), h("li", {}, h("i", {}), "waiting for input, or for a thread")), work.parts],
        };
      },
    },
    {
      id: "ledger", title: "Ledger", when: () => !isBare(),
      make: () => {
        const foot = () => { const all = report.records; return ["Whole run", "", count(all.read), count(all.added), count(all.written), count(all.filtered), count(all.dead), count(all.absorbed), "", "", ""]; };
        const ledger = table("the ledger", [
          { title: "Stage", isText: true, cls: "step", value: stage => stage.name }, { title: "Verb", isText: true, wide: true, cls: "short", value: stage => stage.verb },
          { title: "In", value: stage => stage.in }, { title: "Added", wide: true, value: stage => stage.added }, { title: "Out", value: stage => stage.out },
          { title: "Filtered", value: stage => stage.filtered }, { title: "Dead", isRed: true, value: stage => stage.dead }, { title: "Absorbed", wide: true, value: stage => stage.absorbed },
          { title: "Retries", wide: true, value: stage => stage.retries }, { title: "Timeouts", wide: true, value: stage => stage.timeouts }, { title: "Peak workers", wide: true, value: stage => stage.workers.peak },
        ], () => report.stages, { size: 200, foot });
        return { note: h("p", { class: "soft" }, "in + added = out + filtered + dead + absorbed"), ...ledger };
      },
    },
    {
      id: "letters", title: "Dead letters", when: () => report.records.dead > 0 && !isBare(),
      make: () => {
        const columns = [
          { title: "Count", value: group => group.count }, { title: "Stage", value: group => group.stage }, { title: "Code", value: group => group.code },
          { title: "Message", value: group => group.template }, { title: "First at", value: group => group.examples.length ? group.examples[0].place : "" },
          { title: "First record", value: group => group.examples.length ? group.examples[0].raw : "" },
        ];
        const entry = group => {
          const many = h("span", { class: "many" }, count(group.count));
          const node = h("details", {},
            h("summary", {}, many, h("span", { class: "what" }, h("b", {}, group.stage), " ", h("span", { class: "code mono" }, group.code), " ", h("span", {}, group.template))),
            group.examples.map(example => h("div", { class: "example" }, h("div", { class: "mono soft" }, example.place), example.message !== group.template && h("div", {}, example.message), example.raw && h("pre", { class: "wrap" }, example.raw))));
          return { node, refresh: next => { many.textContent = count(next.count); } };
        };
        // While a run goes on, kinds of dead letters stay open or closed as they are.
        const kept = new Map(), first = 40, list = h("div"), note = h("p", { class: "soft" });
        let isAll = false;
        const more = h("button", { type: "button", click: () => { isAll = true; refresh(); } });
        const refresh = () => {
          const groups = data.letters.groups, nodes = groups.slice(0, isAll ? groups.length : first).map((group, place) => {
            const key = JSON.stringify([group.stage, group.code, group.template]);
            if (!kept.has(key)) {
              kept.set(key, entry(group));
              if (kept.size === 1 && place === 0) kept.get(key).node.open = true;
            }
            kept.get(key).refresh(group);
            return kept.get(key).node;
          });
          if (nodes.length !== list.children.length || nodes.some((node, place) => node !== list.children[place])) list.replaceChildren(...nodes);
          more.hidden = isAll || groups.length <= first;
          more.textContent = "Show all " + count(groups.length) + " kinds";
          note.hidden = !data.letters.note;
          note.textContent = data.letters.note || "";
        };
        return { note, tools: copier("the dead letters", columns, () => data.letters.groups), parts: [list, more], refresh };
      },
    },
    {
      id: "damage", title: "Damage", when: () => data.damage_count > 0,
      make: () => {
        const note = h("p", { class: "soft" }), damage = table("damage", [
          { title: "File", isText: true, value: one => one.file }, { title: "Kind", isText: true, cls: "short", value: one => one.kind }, { title: "At byte", value: one => one.offset },
          { title: "Member", wide: true, value: one => one.member }, { title: "Bytes lost", isRed: true, value: one => one.lost_bytes }, { title: "Text lost", wide: true, value: one => one.lost_text },
        ], () => data.live ? data.live.damage : report.inputs.flatMap(input => input.damage.map(damage => ({ ...damage, file: damage.file ?? input.file }))));
        const refresh = () => {
          const suspect = report.records.suspect, most = data.live && data.live.damage.length < data.damage_count && data.live.damage.length;
          note.textContent = most ? "The " + count(most) + " places that have lost most, of " + count(data.damage_count) + " so far; the report will have all of them."
            : data.live ? "So far." : suspect > 0 ? count(suspect) + (suspect === 1 ? " record" : " records") + " may differ from what was compressed, and others may be missing." : "";
          note.hidden = !note.textContent;
          damage.refresh();
        };
        return { ...damage, note, refresh };
      },
    },
    {
      id: "inputs", title: "Inputs", when: () => !isBare() && !data.live,
      make: () => {
        const inputs = table("inputs", [
          { title: "File", isText: true, value: input => input.file }, { title: "Records", value: input => input.records }, { title: "Written", value: input => input.written },
          { title: "Filtered", wide: true, value: input => input.filtered }, { title: "Dead", isRed: true, value: input => input.dead }, { title: "Damage", isRed: true, value: input => input.damage.length },
          { title: "Bytes", wide: true, value: input => input.bytes, show: bytes }, { title: "Read to its end", wide: true, isText: true, cls: "short", value: input => input.whole ? "yes" : "no" },
        ], () => report.inputs);
        const listed = report.inputs.length;
        return { note: data.input_count > listed && h("p", { class: "soft" }, count(listed) + " of " + count(data.input_count) + ", those with losses first; the others are in the report.json."), ...inputs };
      },
    },
    {
      id: "outputs", title: "Outputs", when: () => report.outputs.length > 0,
      make: () => {
        const outputs = table("outputs", [
          { title: "File", isText: true, value: output => output.file }, { title: "Records", value: output => output.records }, { title: "Bytes", value: output => output.bytes, show: bytes },
          { title: "SHA-256", wide: true, isText: true, cls: "mono", value: output => output.sha256, show: sum => cut(sum, 17) },
        ], () => report.outputs);
        const listed = report.outputs.length;
        return { note: data.output_count > listed && h("p", { class: "soft" }, count(listed) + " of " + count(data.output_count) + "; the others are in the report.json."), ...outputs };
      },
    },
    {
      id: "about", title: "The run", when: () => true,
      make: () => {
        const fact = (title, value) => value && [h("dt", {}, title), h("dd", {}, value)], records = report.records;
        return {
          tools: samples && samples.text && h("button", { type: "button", click: () => copy(samples.text, "the definition") }, "Copy the definition"), refresh: () => {},
          parts: [
            h("dl", { class: "facts" },
              fact("Definition", h("span", { class: "mono" }, report.definition)), fact("Pipeline file", samples && samples.file), fact("Made with", samples && samples.program),
              fact("Gzip", report.libraries && [report.libraries.inflate + " reads", report.libraries.deflate && "; " + report.libraries.deflate + " writes"]), fact("Threads", samples && count(samples.threads)),
              fact("Resumed at record", samples && samples.resumed_at && count(samples.resumed_at)), fact("Dead letters", records.dead > 0 && !isBare() && !data.live && h("span", { class: "mono" }, report.dead_letters.file)),
              fact("Report", report.digest && h("span", { class: "mono" }, report.digest))),
            samples && samples.text && h("pre", { tabindex: "0", "aria-label": "The pipeline file" }, samples.text)],
        };
      },
    },
  ];

  let made = new Map(), top = null, links = null, footer = null;
  const build = section => {
    const { note, tools, parts, refresh } = section.make();
    const node = h("section", { id: section.id, "aria-labelledby": section.id + "-title" },
      h("div", { class: "top" }, h("div", {}, h("h2", { id: section.id + "-title" }, section.title), note), tools && h("div", { class: "tools" }, tools)), parts);
    return { node, refresh, link: h("a", { href: "#" + section.id }, section.title) };
  };
  const take = next => {
    data = next;
    ({ report, samples } = next);
    times = samples ? samples.samples.map(row => row[0] / 1e6) : [];
  };
  // Shows how things stand in what is there already.
  const refresh = next => {
    take(next);
    top.refresh();
    arrange();
    const count = made.size;
    let place = footer;
    for (const section of [...sections].reverse()) {
      const isNew = !made.has(section.id);
      if (isNew && !section.when()) continue;
      if (isNew) made.set(section.id, build(section));
      const one = made.get(section.id);
      if (isNew) main.insertBefore(one.node, place);
      one.refresh();
      place = one.node;
    }
    if (made.size > count) links.replaceChildren(...sections.filter(section => made.has(section.id)).map(section => made.get(section.id).link));
  };
  // Shows it from the beginning. `tools` stand beside the name of the run.
  const show = (next, ...tools) => {
    take(next);
    [made, drawings] = [new Map(), []];
    top = heading(tools);
    links = h("nav", { "aria-label": "Sections" });
    footer = h("footer", {}, (data.live ? "" : "This page needs nothing but itself. ") + data.made);
    main.replaceChildren(top.node, links, footer);
    refresh(next);
  };

  let width = window.innerWidth, timer = 0;
  const drawAll = () => {
    arrange();
    drawings.forEach(draw => draw());
  };
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    clearTimeout(timer);
    timer = setTimeout(drawAll, 100);
  });
  window.addEventListener("beforeprint", drawAll);

  if (!first.live) show(first);
  return { first, h, put, say, show, refresh, control };
})();
