#!/usr/bin/env python3
"""Looks at pages of reports in a headless Chromium, and takes pictures of them.

    apt-get install chromium
    Tests/Page/look.py --sluice .build/release/sluice --pictures /tmp/pages

Makes runs with 10 and with 2,000 inputs, with damage, and with hostile texts everywhere; opens the page of
each at 400 and 1,600 pixels, light and dark, and checks that nothing is loaded, logged or run, that the page
is not wider than its window, that its texts stand out from their background, and that it can be used with the
keyboard alone. Exits with 1 if something is wrong. Run by hand: CI has no browser.
"""
import argparse, base64, csv, gzip, io, json, os, pathlib, random, subprocess, sys, tempfile

HOSTILE = ["</script><script>alert(1)</script>", "<!--<script>", "<img src=x onerror=alert(1)>", "{{script}}", "&lt;b&gt;", "\u2028\u202eevil",
           "x" * 3000, "javascript:alert(1)"]


class Browser:
    """Speaks the DevTools protocol over pipes."""

    def __init__(self, profile):
        ours, theirs = os.pipe(), os.pipe()
        def place():
            # The browser reads from 3 and writes to 4; neither may be closed by placing the other.
            read, write = os.dup(ours[0]), os.dup(theirs[1])
            high = [os.dup(read), os.dup(write)]
            os.dup2(high[0], 3); os.dup2(high[1], 4)
            os.set_inheritable(3, True); os.set_inheritable(4, True)
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={profile}", "about:blank"], preexec_fn=place, close_fds=False, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.out, self.into = os.fdopen(ours[1], "wb", 0), os.fdopen(theirs[0], "rb", 0)
        self.number, self.rest, self.events, self.session = 0, b"", [], None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]: self.send(domain + ".enable")

    def send(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session: message["sessionId"] = self.session
        self.out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next()
            if answer.get("id") == self.number:
                if "error" in answer: raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def next(self):
        while b"\0" not in self.rest:
            piece = os.read(self.into.fileno(), 1 << 20)
            if not piece: raise RuntimeError("the browser ended")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def open(self, path, width, scheme):
        self.events = []
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.send("Emulation.setEmulatedMedia", media="screen", features=[{"name": "prefers-color-scheme", "value": scheme}])
        address = path if str(path).startswith("http:") else pathlib.Path(path).resolve().as_uri()
        self.send("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events): self.events.append(self.next())

    def run(self, expression):
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer: raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def key(self, name, code=None, text=None):
        key = {"key": name, "code": name, "windowsVirtualKeyCode": code or 0}
        self.send("Input.dispatchKeyEvent", type="keyDown", **key, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **key)

    def picture(self, path, height=None):
        size = self.run("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": min(size[1], height or 16000), "scale": 1}
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def end(self):
        self.process.terminate()
        self.process.wait()


CONTRAST = """(() => {
  const light = ([r, g, b]) => { const part = c => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; }; return .2126 * part(r) + .7152 * part(g) + .0722 * part(b); };
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const back = node => { for (; node; node = node.parentElement) { const c = parse(getComputedStyle(node).backgroundColor); if (c.length === 3 || c[3] > .99) return c; } return [255, 255, 255]; };
  const low = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !node.checkVisibility() || node.closest("script, noscript, .unseen, button:disabled, title")) continue;
    const style = getComputedStyle(node), a = light(parse(node instanceof SVGElement ? style.fill : style.color)), b = light(back(node));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) low.add(node.tagName + "." + (node.getAttribute("class") || "") + " " + ratio.toFixed(2));
  }
  return [...low];
})()"""


def runs(folder, sluice):
    """Makes the runs; returns their names and the paths of their pages."""
    random.seed(1)
    verbs = [("GET", 200, "/"), ("GET", 404, "/missing"), ("POST", 500, "/api/orders"), ("GET", 200, "/static/app.js"), ("GET", 503, "/search")]

    def line(number):
        verb, status, path = random.choice(verbs)
        return f'192.0.2.{number % 250} - - [02/Mar/2026:{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} +0000] "{verb} {path} HTTP/1.1" {status} {random.randrange(9000)} "-" "Mozilla/5.0"\n'

    def write(path, lines, damage=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        data = bytearray(gzip.compress("".join(lines).encode()))
        if damage: data[len(data) // 2] ^= 0x55
        path.write_bytes(bytes(data))

    def run(name, stages, sink="out/errors.jsonl.gz", fmt="combined", files="in/*"):
        (folder / name / "p.yaml").write_text(f"name: {name}\ndescription: Server errors from web access logs.\n\nsource:\n  files: '{files}'\n  format: {fmt}\n  on_damage: salvage\n\n{stages}")
        done = subprocess.run([sluice, "run", "p.yaml", "--progress", "none", "--report", "page.html"], cwd=folder / name, capture_output=True, text=True)
        if done.returncode not in (0, 3): sys.exit(f"{name}: {done.stderr}")
        return name, folder / name / "page.html"

    for number in range(10):
        lines = [line(number * 1000 + n) for n in range(60_000)]
        for place in range(number * 3): lines[place * 700 + 11] = random.choice(["-- log rotated by hand --\n", "192.0.2.9 - - [02/Mar/2026:21:40:02 +0000] \"GET /cut-off\n"])
        write(folder / "access-errors/in" / f"2026-03-{number + 1:02}.log.gz", lines, damage=number == 7)
    pages = [run("access-errors", "stages:\n  - keep: status >= 400\n  - set: {section: \"path.split('/')[1]\", seconds: bytes / 1000.0}\n  - name: score\n    exec: [sh, -c, 'while read -r l; do echo \"$l\"; done']\n    workers: 2\n\nsink:\n  file: out/{status}.jsonl.gz\n")]
    lines = [line(n) for n in range(400)]
    for number in range(2000):
        part = list(lines)
        if number % 9 == 0: part[number % 400] = "garbage %d\n" % number
        write(folder / "many-inputs/in" / f"host-{number % 40:02}/access-{number:04}.log.gz", part, damage=number % 211 == 3)
    pages.append(run("many-inputs", "stages:\n  - keep: status >= 400\n\nroutes:\n  - name: server\n    when: status >= 500\n    stages: [{set: {slow: true}}, {remove: [agent]}]\n    sink: {file: 'out/server/{ip}.jsonl'}\n  - name: client\n    when: status == 404\n    sink: {file: out/client.csv.gz}\n", files="in/**/*.gz"))
    (folder / "hostile/in").mkdir(parents=True)
    for number, text in enumerate(HOSTILE):
        safe = text.replace("/", "\u2215")[:80]
        (folder / "hostile/in" / f"{number}{safe}.jsonl").write_text(f"{text} is no JSON\n" + json.dumps({"n": text}) + "\n{\"n\":1}\n")
    pages.append(run("hostile", "stages:\n  - set: {m: n * 2}\n\nsink:\n  file: out/o.jsonl\n", fmt="jsonl"))
    return pages


def check(browser, name, path, pictures):
    problems = []
    for width in (400, 1600):
        for scheme in ("light", "dark"):
            browser.open(path, width, scheme)
            wide = browser.run("document.documentElement.scrollWidth - innerWidth")
            where = f"{name}, {width} pixels, {scheme}"
            if wide > 0: problems.append(f"{where}: {wide} pixels wider than the window")
            low = browser.run(CONTRAST)
            if low: problems.append(f"{where}: too little contrast: {low}")
            if browser.run("document.querySelectorAll('script').length") != 2: problems.append(f"{where}: a script more")
            if browser.run("document.querySelectorAll('img, iframe, object, embed, link').length") != 0: problems.append(f"{where}: an element from a record")
            for event in browser.events:
                method = event.get("method")
                if method in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening"): problems.append(f"{where}: {event['params']}")
                if method == "Network.requestWillBeSent" and not event["params"]["request"]["url"].endswith(path.name): problems.append(f"{where}: loads {event['params']['request']['url']}")
            if pictures:
                browser.picture(pictures / f"{name}-{width}-{scheme}.png")
    problems += copied(browser, name)
    problems += keyboard(browser, name, path)
    return problems


COPIES = """(async () => {
  const copies = {};
  navigator.clipboard.writeText = async text => { copies.last = text; };
  for (const button of document.querySelectorAll("button[aria-label$=' as CSV']")) {
    button.click();
    await new Promise(done => setTimeout(done, 20));
    copies[button.getAttribute("aria-label")] = copies.last;
  }
  delete copies.last;
  return copies;
})()"""


def copied(browser, where):
    """Every table can be copied as CSV: a heading, rows of the same length, no formulas."""
    problems, copies = [], browser.run(COPIES)
    tables = browser.run("document.querySelectorAll('table').length")
    if len(copies) < tables: problems.append(f"{where}: {len(copies)} copies of {tables} tables")
    for what, text in copies.items():
        rows = list(csv.reader(io.StringIO(text, newline="")))
        if len(rows) < 2 or len({len(row) for row in rows}) != 1: problems.append(f"{where}: '{what}' gives {len(rows)} rows of {sorted({len(row) for row in rows})} cells")
        for cell in {cell for row in rows for cell in row if cell[:1] in set("=+-@\t\r")}:
            try: float(cell)
            except ValueError: problems.append(f"{where}: '{what}' gives a formula: {cell[:40]}")
    return problems


def keyboard(browser, name, path):
    problems = []
    browser.open(path, 1600, "light")
    focused, seen = "(() => { const e = document.activeElement; return e.tagName + '|' + (e.getAttribute('aria-label') || e.textContent).slice(0, 60) + '|' + (e.closest('section') ? e.closest('section').id : ''); })()", []
    for _ in range(140):
        browser.key("Tab", 9)
        seen.append(browser.run(focused))
        if len(seen) > 3 and seen[-1] == seen[0]: break
    if not seen[0].startswith("A|Skip"): problems.append(f"{name}: the first place is not the link to the report, but {seen[0]}")
    for what in ["BUTTON|Copy inputs as CSV", "BUTTON|Records", "DIV|Flow"]:
        if not any(place.startswith(what) for place in seen): problems.append(f"{name}: the keyboard does not reach {what}")
    sections = browser.run("[...document.querySelectorAll('section')].filter(s => s.querySelector('button, summary')).map(s => s.id)")
    for section in sections:
        if not any(place.endswith("|" + section) for place in seen): problems.append(f"{name}: the keyboard does not reach the section {section}")
    if browser.run("document.querySelectorAll('.stage').length > 1"):
        browser.run("document.querySelectorAll('.stage')[1].focus()")
        for key in ("ArrowRight", "ArrowRight", "ArrowDown"): browser.key(key)
        said = browser.run("document.getElementById('said').textContent")
        if " per second" not in said: problems.append(f"{name}: the arrow keys say '{said}' of a stage")
        if browser.run("document.activeElement !== document.querySelectorAll('.stage')[2]"): problems.append(f"{name}: the arrow keys do not go to the next stage")
        marks = browser.run("document.querySelectorAll('.stage .mark').length")
        if marks < browser.run("document.querySelectorAll('.stage').length"): problems.append(f"{name}: only {marks} marks at the chosen moment")
    browser.run("document.querySelectorAll('#inputs thead button')[1].focus()")
    browser.key("Enter", 13, "\r")
    if browser.run("document.querySelectorAll('#inputs thead th')[1].getAttribute('aria-sort')") != "descending": problems.append(f"{name}: Enter does not sort")
    values = browser.run("[...document.querySelectorAll('#inputs tbody tr')].map(row => Number(row.children[1].textContent.replaceAll(',', '')))")
    if values != sorted(values, reverse=True): problems.append(f"{name}: not sorted: {values[:5]}")
    if name == "many-inputs":
        browser.run("document.querySelector('#inputs input').focus()")
        browser.send("Input.insertText", text="host-07")
        if browser.run("document.getElementById('said').textContent") != "50 of 2,000 inputs": problems.append(f"{name}: the filter says {browser.run('document.getElementById(`said`).textContent')}")
        if browser.run("document.querySelector('#inputs .pages span').textContent") != "1–25 of 50": problems.append(f"{name}: pages")
    browser.run("document.querySelector('#inputs .tools button').focus()")
    browser.key("Enter", 13, "\r")
    if not browser.run("new Promise(done => setTimeout(() => done(document.getElementById('said').textContent), 300))").endswith("copied"): problems.append(f"{name}: nothing is copied")
    return problems


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sluice", default=".build/release/sluice")
    options.add_argument("--pictures", type=pathlib.Path, help="a folder for pictures of the pages")
    options.add_argument("--pages", type=pathlib.Path, nargs="*", help="pages to look at, instead of those of runs made here")
    arguments = options.parse_args()
    if arguments.pictures: arguments.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        pages = [(page.stem, page) for page in arguments.pages] if arguments.pages else runs(folder, str(pathlib.Path(arguments.sluice).resolve()))
        browser = Browser(folder / "profile")
        problems = [problem for name, path in pages for problem in check(browser, name, path, arguments.pictures)]
        browser.end()
    for problem in problems: print(problem)
    print(f"{len(pages)} pages, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
