"""Runs bench-pool for everything that the documentation reports, and records the raw figures.

    python3 Benchmarks/Pools/measure.py .build/release/bench-pool Benchmarks/results/pools-DATE.json [--quick]

Each measurement is repeated; the raw figures of all repetitions are kept. plot.py plots the file.
"""

import json
import platform
import subprocess
import sys
import time

SLEEP = "--body sleep --jobs 1000000 --concurrency 10000"
HEADLINE = [
    SLEEP,
    SLEEP + " --timeout --retry --priority",
    SLEEP + " --global",
    "--body task-sleep --jobs 1000000 --concurrency 10000",
]
EMPTY = [
    "--body empty",
    "--body empty --polling",
    "--body empty --global",
    "--body empty --timeout --retry --priority",
    "--body empty --concurrency 10000",
    "--body empty --submitters 2",
    "--body empty --submitters 8",
    "--body empty --submitters 8 --polling",
    "--body empty --submitters 64",
    "--body empty --way batch",
    "--body empty --way callback",
    "--body empty --way handle",
    "--body empty --way map --jobs 10000000",
    "--body capture",
    "--body capture --way callback",
    "--body capture --way handle",
    "--body empty-async",
    "--body empty-async --way handle",
]
STILL = [
    "--measure idle --concurrency 10000",
    "--measure latency --jobs 2000 --concurrency 4",
]
GROWTH = [f"--body empty --concurrency 2 --jobs {10 ** n}" for n in range(3, 8)] + [
    f"--body sleep --jobs {max(10 ** n * 10, 1000)} --concurrency {10 ** n}" for n in range(0, 6)
]


def measure(binary, arguments, repeats):
    lines = [
        subprocess.run([binary, *arguments.split()], capture_output=True, text=True, check=True).stdout
        for _ in range(repeats)
    ]
    return {"arguments": arguments, "runs": [json.loads(line) for line in lines]}


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/loadavg") as file:
        load = file.read().split()[0]
    return {"system": platform.platform(), "processor": models[0], "cores": len(models), "load_before": load}


def main():
    binary, target = sys.argv[1:3]
    repeats = 3 if "--quick" in sys.argv else 5
    result = {"date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "machine": machine(), "measurements": []}
    for arguments in HEADLINE + EMPTY + STILL + GROWTH:
        result["measurements"].append(measure(binary, arguments, repeats))
        runs = result["measurements"][-1]["runs"]
        best = min(runs, key=lambda run: run["wall_seconds"])
        print(f"{arguments:75} {best}", file=sys.stderr)
    with open(target, "w") as file:
        json.dump(result, file, indent=1)


main()
