#!/usr/bin/env python3
"""Takes the pictures of docs/pictures: the pages of a run while it goes on, and of its report, light and dark.

    apt-get install chromium python3-pil
    Tests/Page/pictures.py --sluice .build/release/sluice

Makes a run of about a minute: ten days of access logs, two of them damaged, and a stage whose program is slow on
purpose. Run by hand, after changes to Sources/sluice/Page that can be seen; look at the pictures.
"""
import argparse, gzip, pathlib, random, re, subprocess, sys, tempfile, time

from PIL import Image

from look import Browser

ROOT = pathlib.Path(__file__).resolve().parents[2]

SCORE = """
import json, sys, time, zlib
for line in sys.stdin:
    time.sleep(0.0012)
    record = json.loads(line)
    record["score"] = len(line) % 97 / 97
    print("out of memory" if zlib.crc32(line.encode()) % 3000 == 0 else json.dumps(record), flush=True)
"""

PIPELINE = """
name: orders
description: Errors of the shop, with a score.

source:
  files: 'in/*.log.gz'
  format: combined
  on_damage: salvage

stages:
  - keep: status >= 400
  - name: section
    set: {section: "path.split('/')[1]"}
  - name: score
    exec: [python3, score.py]
    workers: 4
  - select: [time, status, section, path, score]

sink:
  file: out/orders.jsonl.gz
"""


def make(folder):
    random.seed(7)
    paths = [("GET", 200, "/"), ("GET", 200, "/static/app.js"), ("GET", 200, "/cart"), ("GET", 200, "/search"), ("POST", 201, "/api/orders"),
             ("GET", 404, "/missing"), ("POST", 500, "/api/orders"), ("GET", 503, "/search"), ("GET", 404, "favicon.ico")]
    weights = [20, 20, 14, 10, 8, 12, 9, 7, 0.13]
    for day in range(1, 11):
        lines = []
        for number in range(58_500):
            verb, status, path = random.choices(paths, weights)[0]
            second = number * 86400 // 58_500
            lines.append(f'192.0.2.{random.randrange(250)} - - [{day:02}/Mar/2026:{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} +0000] '
                         f'"{verb} {path} HTTP/1.1" {status} {random.randrange(90_000)} "-" "Mozilla/5.0 (X11; Linux x86_64)"\n')
        for place in range(day): lines[place * 5_000 + 77] = "-- log rotated by hand --\n"
        data = bytearray(gzip.compress("".join(lines).encode(), 6))
        if day in (2, 8): data[-6] ^= 0x55
        (folder / "in").mkdir(exist_ok=True)
        (folder / "in" / f"2026-03-{day:02}.log.gz").write_bytes(bytes(data))
    (folder / "score.py").write_text(SCORE)
    (folder / "orders.yaml").write_text(PIPELINE.lstrip())


def take(browser, name, scheme):
    bottom = browser.run("Math.ceil(document.querySelector('#work').getBoundingClientRect().bottom + scrollY) + 20")
    path = ROOT / "docs/pictures" / f"{name}-{scheme}.png"
    browser.picture(path, bottom)
    # A page has few colors, and a picture of them is a third of the size.
    Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sluice", default=".build/release/sluice")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make(folder)
        browser = Browser(folder / "profile")
        command = [str(pathlib.Path(arguments.sluice).resolve()), "run", "orders.yaml", "--progress", "none", "--workers", "2", "--dashboard", "--report", "report.html"]
        with open(folder / "err", "w") as errors: run = subprocess.Popen(command, cwd=folder, stderr=errors)
        while not (match := re.search(r"http://127.0.0.1:\S+", (folder / "err").read_text())):
            if run.poll() is not None: sys.exit((folder / "err").read_text())
            time.sleep(0.05)
        for scheme in ("light", "dark"):
            browser.open(match.group(0), 1600, scheme)
            while (browser.run("document.querySelector('progress').value") or 0) < 0.55 and run.poll() is None: time.sleep(0.2)
            time.sleep(1.5)
            take(browser, "live", scheme)
        if run.wait() != 3: sys.exit((folder / "err").read_text())
        for scheme in ("light", "dark"):
            browser.open(folder / "report.html", 1600, scheme)
            take(browser, "report", scheme)
        browser.end()


if __name__ == "__main__":
    main()
