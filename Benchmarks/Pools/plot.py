"""Plots how the pool scales, from the figures that measure.py recorded, as an SVG without any library.

    python3 Benchmarks/Pools/plot.py Benchmarks/results/pools-DATE.json > .../growth.svg
"""

import json
import pathlib
import re
import statistics
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from panels import drawing


def points(measurements, pattern, x, y):
    """Median of y over the runs of all matching measurements, by ascending x."""
    found = {}
    for one in measurements:
        if re.fullmatch(pattern, one["arguments"]):
            found.setdefault(x(one["runs"][0]), []).extend(y(run) for run in one["runs"])
    return [(place, statistics.median(found[place])) for place in sorted(found)]


def main():
    with open(sys.argv[1]) as file:
        kept = json.load(file)
    all_of = kept["measurements"]
    empty = r"--body empty --concurrency 2 --jobs 10+"
    sleep = r"--body sleep --jobs 10+ --concurrency 10*"
    base = 1e9
    left = {
        "wall": points(all_of, empty, lambda run: run["jobs"], lambda run: run["wall_seconds"] / run["jobs"] * base),
        "processor": points(all_of, empty, lambda run: run["jobs"], lambda run: run["cpu_seconds"] / run["jobs"] * base),
    }
    middle = {
        "wall over the floor": points(
            all_of, sleep, lambda run: run["concurrency"],
            lambda run: run["wall_seconds"] / (run["jobs"] / run["concurrency"] * 0.01)),
    }
    right = {
        "peak memory": points(all_of, sleep, lambda run: run["concurrency"], lambda run: run["peak_rss_kib"] / 1024),
    }
    print(drawing(f"How the pool grows; {kept['date']}", [
        ("Empty jobs, 2 workers", "ns a job", "jobs", left),
        ("Sleeps of 10 ms", "times the floor", "jobs at once", middle),
        ("Sleeps of 10 ms", "MiB", "jobs at once", right),
    ]))


main()
