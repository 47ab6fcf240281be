#!/usr/bin/env python3
"""Looks at the pages of runs that go on in a headless Chromium, and takes pictures of them.

    apt-get install chromium
    Tests/Page/look_live.py --sluice .build/release/sluice --pictures /tmp/pages

Makes runs with 10 and with 2,000 inputs, and one with hostile texts everywhere, which go on until this
script lets them end. Opens the dashboard of each at 400 and 1,600 pixels, light and dark, and checks what
look.py checks, and more: that it follows the run, that it can be drained and resized with the keyboard
alone, that it says when its server was killed and goes on when that is back, and that it becomes the
report's page at the end. Exits with 1 if something is wrong. Run by hand: CI has no browser.
"""
import argparse, gzip, json, os, pathlib, random, re, signal, subprocess, sys, tempfile, threading, time

from look import CONTRAST, HOSTILE, Browser, copied

TOKEN = "token-of-a-browser-test"


class Run:
    """A run that reads a pipe after its other inputs, so that it goes on until the pipe is closed."""

    def __init__(self, sluice, folder, name, definition, port=0):
        self.sluice, self.folder, self.name, self.port, self.feeding = sluice, folder / name, name, port, None
        (self.folder / "in").mkdir(parents=True)
        (self.folder / "p.yaml").write_text(f"name: {name}\n{definition}")
        os.mkfifo(self.folder / "pipe")
        self.pipe = os.open(self.folder / "pipe", os.O_RDWR)

    def begin(self):
        environment = dict(os.environ, SLUICE_DASHBOARD_TOKEN=TOKEN, SLUICE_CHECKPOINT_SECONDS="0.2")
        self.process = subprocess.Popen([self.sluice, "run", "p.yaml", "--progress", "none", "--workers", "2", "--dashboard", f"127.0.0.1:{self.port}"],
                                        cwd=self.folder, env=environment, stderr=open(self.folder / "err", "w"))
        while True:
            match = re.search(r"http://127.0.0.1:(\d+)/\?token=\S+", (self.folder / "err").read_text())
            if match: break
            if self.process.poll() is not None: sys.exit((self.folder / "err").read_text())
            time.sleep(0.05)
        self.port, self.url = int(match.group(1)), match.group(0)

    def feed(self, lines):
        """Writes into the pipe as fast as the run takes it."""
        text = "".join(line(n) for n in range(lines)).encode()
        def write():
            place = 0
            while place < len(text): place += os.write(self.pipe, text[place:place + 65536])
        self.feeding = threading.Thread(target=write, daemon=True)
        self.feeding.start()

    def end(self):
        # More than a pipe holds: once it is written, the run has opened the pipe, and sees its end.
        if not self.feeding: self.feed(1_500)
        self.feeding.join()
        os.close(self.pipe)
        self.pipe = None
        return self.process.wait(300)


def line(number):
    verb, status, path = random.choice([("GET", 200, "/"), ("GET", 404, "/missing"), ("POST", 500, "/api/orders"), ("GET", 200, "/static/app.js"), ("GET", 503, "/search")])
    return f'192.0.2.{number % 250} - - [02/Mar/2026:{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} +0000] "{verb} {path} HTTP/1.1" {status} {random.randrange(9000)} "-" "Mozilla/5.0"\n'


SLOW = "stages:\n  - keep: status >= 400\n  - set: {section: \"path.split('/')[1]\"}\n  - name: score\n    exec: [sh, -c, 'while read -r l; do echo \"$l\"; done']\n\nsink:\n  file: out/{status}.jsonl.gz\n"


def runs(sluice, folder):
    random.seed(1)
    access = Run(sluice, folder, "access-errors", f"description: Server errors.\nsource: {{files: ['in/*', pipe], format: combined, on_damage: salvage}}\n{SLOW}")
    for number in range(10):
        lines = [line(number * 1000 + n) for n in range(600)]
        for place in range(number * 3): lines[place * 20 + 11] = "-- log rotated by hand --\n"
        data = bytearray(gzip.compress("".join(lines).encode(), 1))
        if number == 1: data[len(data) // 2] ^= 0x55
        (access.folder / "in" / f"2026-03-{number + 1:02}.log.gz").write_bytes(bytes(data))
    many = Run(sluice, folder, "many-inputs", f"source: {{files: ['in/**/*.gz', pipe], format: combined, on_damage: salvage}}\n{SLOW}")
    lines = [line(n) for n in range(20)]
    for number in range(2000):
        part = lines[:10]
        if number % 9 == 0: part[number % 10] = f"garbage {number}\n"
        file = many.folder / "in" / f"host-{number % 40:02}" / f"access-{number:04}.log.gz"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(gzip.compress("".join(part).encode(), 1))
    hostile = Run(sluice, folder, "hostile", "description: </script><b>\nsource: {files: ['in/*', pipe], format: jsonl}\nstages:\n  - set: {m: n * 2}\nsink: {file: 'out/<b>o.jsonl'}\n")
    for number, text in enumerate(HOSTILE):
        (hostile.folder / "in" / f"{number}{text.replace('/', chr(0x2215))[:80]}.jsonl").write_text((f"{text} is no JSON\n" + json.dumps({"n": text}) + "\n{\"n\":1}\n") * 20_000)
    return [access, many, hostile]


class Look:
    def __init__(self, browser, pictures):
        self.browser, self.pictures, self.problems = browser, pictures, []

    def wrong(self, text): self.problems.append(text)

    def until(self, what, expression, seconds=30):
        end = time.monotonic() + seconds
        while not self.browser.run(expression):
            if time.monotonic() > end:
                self.wrong(f"never: {what}")
                return False
            time.sleep(0.1)
        return True

    def picture(self, name, height=None):
        if self.pictures: self.browser.picture(self.pictures / f"{name}.png", height)

    def sound(self, where, url=""):
        """What must hold of every page at every moment."""
        browser = self.browser
        wide = browser.run("document.documentElement.scrollWidth - innerWidth")
        if wide > 0: self.wrong(f"{where}: {wide} pixels wider than the window")
        low = browser.run(CONTRAST)
        if low: self.wrong(f"{where}: too little contrast: {low}")
        if browser.run("document.querySelectorAll('script').length") != 2: self.wrong(f"{where}: a script more")
        if browser.run("document.querySelectorAll('img, iframe, object, embed, link, b:not(summary b)').length") != 0: self.wrong(f"{where}: an element from a record")
        for event in browser.events:
            method = event.get("method")
            if method in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening"): self.wrong(f"{where}: {event['params']}")
            if method == "Network.requestWillBeSent" and not event["params"]["request"]["url"].startswith(url or "http://127.0.0.1:"): self.wrong(f"{where}: loads {event['params']['request']['url']}")
        browser.events = []

    def all(self, run):
        for width in (400, 1600):
            for scheme in ("light", "dark"):
                self.browser.open(run.url, width, scheme)
                self.until(f"{run.name}: connected", "document.querySelector('.link.on') !== null")
                self.until(f"{run.name}: curves", "document.querySelectorAll('#time svg').length > 0")
                time.sleep(1.2)
                self.sound(f"{run.name}, {width} pixels, {scheme}")
                self.picture(f"live-{run.name}-{width}-{scheme}")

    def damage(self, run, files):
        """The damaged files, with their places."""
        self.browser.open(run.url, 1600, "light")
        self.until("damage", "document.querySelector('#damage tbody tr') !== null", 120)
        seen = self.browser.run("[...document.querySelectorAll('#damage tbody tr')].map(row => row.children[0].textContent + ' ' + row.children[2].textContent)")
        for file in files:
            if not any(re.fullmatch(re.escape(file) + r" [\d,]+", row) for row in seen): self.wrong(f"{run.name}: {file} is not among the damaged files {seen}")
        self.problems += copied(self.browser, f"{run.name}, live")

    def follows(self, run):
        """Figures grow, and nothing that is held loses its hold."""
        self.browser.open(run.url, 1600, "light")
        self.until("connected", "document.querySelector('.link.on') !== null")
        self.browser.run("document.querySelector('#ledger thead button').focus()")
        before = self.browser.run("document.querySelector('.tiles dd').textContent")
        run.feed(13_000)
        for _ in range(20):
            rate = self.browser.run("[...document.querySelectorAll('.tiles div')].find(one => one.textContent.startsWith('Text per second')).lastElementChild.textContent")
            if rate.startswith("0"): self.wrong(f"text per second is {rate} while the run reads")
            time.sleep(0.3)
        self.until("the records grow", f"document.querySelector('.tiles dd').textContent !== {json.dumps(before)}", 120)
        if not self.browser.run("document.activeElement.closest('#ledger') !== null"): self.wrong("a heading loses the focus")
        title = self.browser.run("document.title")
        if run.name not in title: self.wrong(f"the title is {title}")

    def keyboard(self, run):
        """Tab, Enter and nothing else."""
        browser = self.browser
        browser.open(run.url, 1600, "light")
        self.until("connected", "document.querySelector('.link.on') !== null")
        self.until("workers", "document.querySelector('.stepper') !== null")
        name = "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent).slice(0, 60)"
        seen = []
        for _ in range(60):
            browser.key("Tab", 9)
            seen.append(browser.run(name))
            if seen[-1] == "More workers for score": break
        if "Drain the run" not in seen: self.wrong(f"the keyboard does not reach the drain: {seen}")
        if seen[-1] != "More workers for score": return self.wrong(f"the keyboard does not reach the workers: {seen}")
        browser.key("Enter", 13, "\r")
        self.until("two children", "document.getElementById('said').textContent === 'score: 2 workers'")
        self.until("it is shown", "[...document.querySelectorAll('.stepper')].some(one => one.querySelector('[aria-label=\"More workers for score\"]') && one.querySelector('output').textContent === '2')")
        if browser.run(name) != "More workers for score": self.wrong(f"after that, the focus is at {browser.run(name)}")
        browser.run("[...document.querySelectorAll('button')].find(one => one.textContent === 'Drain the run').focus()")
        browser.key("Enter", 13, "\r")
        if browser.run(name) != "Go on": self.wrong(f"the question has the focus at {browser.run(name)}")
        self.picture(f"live-{run.name}-question", 700)
        browser.key("Enter", 13, "\r")
        if browser.run(name) != "Drain the run": self.wrong(f"going on has the focus at {browser.run(name)}")

    def killed(self, run):
        """The server is killed, and another process resumes its run at the same address."""
        run.process.send_signal(signal.SIGKILL)
        run.process.wait()
        self.until("the loss is said", "document.querySelector('.link.off') !== null && !document.querySelector('.problem').hidden")
        self.asks_nothing()
        self.picture(f"live-{run.name}-lost", 700)
        self.browser.events = []
        run.begin()
        self.until("it is back", "document.querySelector('.link.on') !== null && document.querySelector('.problem').hidden", 60)

    def asks_nothing(self):
        """Without a connection, buttons keep the focus, look disabled, and say that nothing was done."""
        browser, said = self.browser, "document.querySelector('.problem').textContent"
        allowed = browser.run("[...document.querySelectorAll('.stepper button, .head .tools button')].filter(one => !one.disabled && one.getAttribute('aria-disabled') !== 'true' && one.checkVisibility()).map(one => one.textContent)")
        if allowed: self.wrong(f"without a connection, these look enabled: {allowed}")
        for find, words in (("one => one.textContent === 'Drain the run'", "the run cannot be drained from here"),
                            ("one => one.getAttribute('aria-label') === 'More workers for score'", "the workers of ‘score’ were not changed")):
            browser.run(f"[...document.querySelectorAll('button')].find({find}).focus()")
            browser.key("Enter", 13, "\r")
            if words not in browser.run(said): self.wrong(f"without a connection, it says: {browser.run(said)}")
            if not browser.run(f"({find})(document.activeElement)"): self.wrong("without a connection, a button loses the focus")
        if browser.run("document.querySelector('.sure').checkVisibility()"): self.wrong("without a connection, it asks whether to drain")

    def ends(self, run, expected, word):
        code = run.end()
        if code != expected: self.wrong(f"{run.name}: exit code {code}: {(run.folder / 'err').read_text()}")
        self.until("the end", f"document.querySelector('.badge').textContent === {json.dumps(word)}")
        if self.browser.run("document.querySelector('#inputs tbody tr') === null"): self.wrong(f"{run.name}: no inputs at the end")
        if self.browser.run("document.querySelector('.stepper, .link') !== null"): self.wrong(f"{run.name}: controls remain")
        self.browser.events = [event for event in self.browser.events if "ERR_CONNECTION_REFUSED" not in json.dumps(event) and "ERR_INCOMPLETE" not in json.dumps(event)]
        self.sound(f"{run.name}, at its end")
        self.picture(f"live-{run.name}-end")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sluice", default=".build/release/sluice")
    options.add_argument("--runs", nargs="*", default=["access", "many", "hostile"], help="of access, many, hostile")
    options.add_argument("--pictures", type=pathlib.Path, help="a folder for pictures of the pages")
    arguments = options.parse_args()
    if arguments.pictures: arguments.pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        access, many, hostile = runs(str(pathlib.Path(arguments.sluice).resolve()), folder)
        browser = Browser(folder / "profile")
        look = Look(browser, arguments.pictures)
        if "access" in arguments.runs:
            access.begin()
            look.all(access)
            look.keyboard(access)
            look.killed(access)
            look.follows(access)
            look.damage(access, ["in/2026-03-02.log.gz"])
            look.ends(access, 3, "complete, with losses")
        if "many" in arguments.runs:
            many.begin()
            look.all(many)
            look.ends(many, 3, "complete, with losses")
        if "hostile" in arguments.runs:
            hostile.begin()
            look.all(hostile)
            browser.run("[...document.querySelectorAll('button')].find(one => one.textContent === 'Drain').click()")
            look.until("drained", "document.querySelector('.badge').textContent === 'interrupted'", 60)
            if hostile.process.wait(60) != 143: look.wrong(f"drained: exit code {hostile.process.returncode}")
            look.picture("live-hostile-drained", 900)
        browser.end()
    for problem in look.problems: print(problem)
    print(f"{len(arguments.runs)} runs, {len(look.problems)} problems")
    sys.exit(1 if look.problems else 0)


if __name__ == "__main__":
    main()
