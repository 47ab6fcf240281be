
// The page of a run that goes on: it is told every second how things stand, and can drain the run and change the workers of stages.
(() => {
  const { first, h, put, say, show, refresh, control } = page;
  const token = new URLSearchParams(location.search).get("token") || "";
  const address = (path, more = "") => path + "?token=" + encodeURIComponent(token) + more;
  let data = first, last = data.live.after, source = null, since = null, undone = null, timer = 0, hasEnded = false;

  // The connection.
  const link = h("span", { class: "link", role: "status" }, "Connecting");
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const complain = text => {
    problem.hidden = !text;
    if (problem.textContent !== (text || "")) problem.textContent = text || "";
  };
  const isConnected = () => {
    since = undone = null;
    link.className = "link on";
    link.textContent = "Live";
    complain(null);
    allow();
  };
  const isLost = () => {
    if (hasEnded) return;
    if (since === null) since = new Date();
    link.className = "link off";
    link.textContent = "No connection";
    complain("No connection since " + since.toLocaleTimeString("en-GB") + ", so this page stands still" + (undone ? ", and " + undone : "") + ". The run may have ended: ‘sluice report’ shows how. If it has not, the page goes on by itself.");
    allow();
  };
  // Without a connection, what asks something of the run does nothing but say so. It keeps the focus, which a disabled button would lose.
  const allow = () => { for (const button of document.querySelectorAll("[data-asks]")) button.setAttribute("aria-disabled", since !== null); };
  const connect = () => {
    clearTimeout(timer);
    if (source) source.close();
    source = new EventSource(address("events", last ? "&after=" + encodeURIComponent(last) : ""));
    source.addEventListener("open", isConnected);
    for (const kind of ["change", "whole", "end"]) source.addEventListener(kind, event => take(kind, event.lastEventId, JSON.parse(event.data)));
    source.addEventListener("error", () => {
      isLost();
      // What was refused is not tried again by the browser.
      if (source.readyState === EventSource.CLOSED) refused();
    });
  };
  const refused = async () => {
    clearTimeout(timer);
    timer = setTimeout(connect, 3000);
    try {
      const answer = await fetch(address("status"));
      if (answer.status !== 401) return;
      clearTimeout(timer);
      complain("Another run has taken this address, and this page does not know its token: open the address that it has printed.");
    } catch {
      // Still no connection.
    }
  };

  // What is told. A change brings one sample; the others are here.
  const most = 400;
  const take = (kind, id, next) => {
    last = id;
    if (kind === "end") return end(next);
    if (kind === "change") {
      if (next.live.row && !extended(next.live.row)) {
        last = null;
        return connect();
      }
      next.samples = data.samples;
    }
    data = next;
    if (!document.hidden) draw();
  };
  const extended = row => {
    if (!data.samples || data.samples.columns.length !== row.length) return false;
    const rows = data.samples.samples;
    if (rows.length === 0 || row[0] > rows[rows.length - 1][0]) rows.push(row);
    if (rows.length > most) data.samples.samples = rows.filter((_, place) => place % 2 === 0 || place === rows.length - 1);
    return true;
  };
  const draw = () => {
    drain.disabled = data.live.is_draining;
    for (const one of data.live.controls) stepper(one);
    refresh(data);
  };
  const end = report => {
    hasEnded = true;
    source.close();
    if (!report) return;
    control.of = () => null;
    const hadFocus = document.activeElement !== document.body;
    show(report);
    const main = document.getElementById("main");
    main.tabIndex = -1;
    if (hadFocus) main.focus({ preventScroll: true });
    say("The run has ended. " + report.sentences.map(sentence => sentence.text).join(" "));
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !hasEnded) draw(); });

  // What can be done. `what` says what was not, if there is no answer.
  const post = async (path, body, what) => {
    try {
      if (since !== null) throw new Error("no connection");
      const answer = await fetch(address(path), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal: AbortSignal.timeout(10000) });
      const text = await answer.json();
      complain(answer.ok ? null : text.error.message);
      return answer.ok;
    } catch {
      undone = what;
      if (source.readyState === EventSource.OPEN) complain("There was no answer: it seems that " + what + "."); else isLost();
      return false;
    }
  };
  const ask = () => {
    if (since !== null) {
      undone = "the run cannot be drained from here";
      return isLost();
    }
    sure.hidden = false;
    drain.hidden = true;
    stay.focus();
  };
  const drain = h("button", { type: "button", "data-asks": "", click: ask }, "Drain the run");
  const stay = h("button", { type: "button", click: () => { sure.hidden = true; drain.hidden = false; drain.focus(); } }, "Go on");
  const yes = h("button", {
    type: "button", class: "strong", "data-asks": "",
    click: async () => {
      stay.click();
      if (await post("drain", {}, "the run was not drained")) say("The run is being drained");
    },
  }, "Drain");
  const sure = h("span", { class: "sure", hidden: true }, h("span", {}, "What is in flight is finished; nothing is published. The same command resumes the run."), yes, stay);

  // Fewer or more workers, as buttons beside their number.
  const steppers = new Map();
  const stepper = now => {
    let one = steppers.get(now.name);
    if (!one) {
      const number = h("output", {}), change = by => async () => {
        const wanted = Math.max(one.now.least, Math.min(one.now.most, one.now.workers + by));
        if (wanted !== one.now.workers && await post("resize", { stage: one.now.name, workers: wanted }, "the workers of ‘" + one.now.name + "’ were not changed")) say(one.now.name + ": " + wanted + (wanted === 1 ? " worker" : " workers"));
      };
      const fewer = h("button", { type: "button", "data-asks": "", "aria-label": "Fewer workers for " + now.name, click: change(-1) }, "−");
      const more = h("button", { type: "button", "data-asks": "", "aria-label": "More workers for " + now.name, click: change(1) }, "+");
      one = { node: h("span", { class: "stepper" }, fewer, number, more), number, fewer, more };
      steppers.set(now.name, one);
    }
    one.now = now;
    one.workers = now.workers;
    one.number.textContent = now.workers;
    one.fewer.disabled = now.workers <= now.least;
    one.more.disabled = now.workers >= now.most;
  };
  control.of = step => { const now = data.live.controls.find(one => one.index === step.index); return now ? steppers.get(now.name) : null; };

  for (const one of data.live.controls) stepper(one);
  drain.disabled = data.live.is_draining;
  show(data, link, h("span", { class: "tools" }, drain, sure), problem);
  connect();
})();
