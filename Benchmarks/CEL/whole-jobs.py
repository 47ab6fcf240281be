#!/usr/bin/env python3
"""Whole jobs: sluice, jq and mlr filter or change the same JSON lines.

    Benchmarks/CEL/whole-jobs.py [--sluice PATH] [--records N] [--rounds N]

Generates N synthetic requests (gzip, about 220 bytes each) in a temporary folder, runs each job with
each installed tool, and prints the minimum wall and CPU seconds and nanoseconds of CPU per record.
Output is gzip for sluice and plain text for the others, which therefore have less to do. Checks that
all tools keep the same number of records. jq and mlr read from `gzip -dc`, whose CPU time counts. A
sluice without ISA-L is refused.
"""

import argparse
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from rivals import BROWSERS, path

JOBS = {
    "status >= 500": ("keep", ".status >= 500", "$status >= 500"),
    "status >= 500 && path.startsWith('/api')": (
        "keep", '.status >= 500 and (.path | startswith("/api"))', '$status >= 500 && $path =~ "^/api"'),
    "method in ['GET', 'HEAD'] && !agent.contains('bot')": (
        "keep", '(.method == "GET" or .method == "HEAD") and (.agent | contains("bot") | not)',
        '($method == "GET" || $method == "HEAD") && $agent !=~ "bot"'),
    "path.matches('^/api/v[0-9]+/users/[0-9]+$')": (
        "keep", '.path | test("^/api/v[0-9]+/users/[0-9]+$")', '$path =~ "^/api/v[0-9]+/users/[0-9]+$"'),
    "method + ' ' + path + ': ' + string(sent / 1024) + ' KiB'": (
        "set", '.text = .method + " " + .path + ": " + (.sent / 1024 | floor | tostring) + " KiB"',
        '$text = $method . " " . $path . ": " . string($sent // 1024) . " KiB"'),
}


def make_records(name, count):
    statuses, methods = [200, 304, 404, 500, 200, 503, 301], ["GET", "POST", "HEAD", "GET", "PUT"]
    with gzip.open(name, "wt", compresslevel=6) as out:
        for i in range(count):
            record = {
                "id": i, "time": f"2026-03-01T12:{i // 60 % 60:02}:{i % 60:02}Z", "status": statuses[i * 31 % 7], "method": methods[i * 17 % 5],
                "path": path(i), "agent": BROWSERS[i * 13 % 5], "sent": i * 37 % 100_000, "duration_ms": i * 13 % 5_000,
            }
            out.write(json.dumps(record) + "\n")


def commands(folder, sluice, text, job):
    verb, jq, mlr = job
    stage = {"keep": text} if verb == "keep" else {"set": {"text": text}}
    definition = {
        "name": "whole-job", "source": {"files": f"{folder}/records.jsonl.gz", "format": "jsonl"}, "stages": [stage],
        "sink": {"file": f"{folder}/out.jsonl.gz"},
    }
    # JSON is YAML.
    with open(f"{folder}/job.yaml", "w") as out:
        json.dump(definition, out)
    read = f"gzip -dc {folder}/records.jsonl.gz"
    jq_filter = f"select({jq})" if verb == "keep" else jq
    mlr_verb = ["filter", mlr] if verb == "keep" else ["put", mlr]
    yield "sluice", [sluice, "run", f"{folder}/job.yaml", "--state", f"{folder}/state", "--restart", "--progress", "none"]
    yield "jq", ["sh", "-c", f'{read} | jq -c "$0" > {folder}/out', jq_filter]
    yield "mlr", ["sh", "-c", f'{read} | mlr --ijsonl --ojsonl "$0" "$1" > {folder}/out', *mlr_verb]


def run(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 3):
        sys.exit(f"{command}: {done.stderr.decode()}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def lines(name):
    opener = gzip.open if name.endswith(".gz") else open
    with opener(name, "rb") as text:
        return sum(1 for _ in text)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--sluice", default=".build/release/sluice")
    arguments.add_argument("--records", type=int, default=300_000)
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    if subprocess.run([f"{os.path.dirname(os.path.abspath(__file__))}/../heading", options.sluice]).returncode:
        sys.exit(1)
    with tempfile.TemporaryDirectory() as folder:
        make_records(f"{folder}/records.jsonl.gz", options.records)
        print(f"{options.records:,} records, {os.path.getsize(f'{folder}/records.jsonl.gz') / 1e6:.1f} MB of gzip")
        print(f"{'job':<62}{'tool':<8}{'wall s':>8}{'CPU s':>8}{'ns a record':>13}{'kept':>10}")
        for text, job in JOBS.items():
            kept = set()
            for tool, command in commands(folder, os.path.abspath(options.sluice), text, job):
                if not shutil.which(command[0] if tool == "sluice" else tool):
                    print(f"{text:<62}{tool:<8}  not installed")
                    continue
                times = [run(command) for _ in range(options.rounds)]
                wall, cpu = min(t[0] for t in times), min(t[1] for t in times)
                count = lines(f"{folder}/out.jsonl.gz" if tool == "sluice" else f"{folder}/out")
                kept.add(count)
                print(f"{text:<62}{tool:<8}{wall:8.2f}{cpu:8.2f}{cpu / options.records * 1e9:13.0f}{count:10,}")
            if len(kept) > 1:
                sys.exit("the tools do not agree")


if __name__ == "__main__":
    main()
