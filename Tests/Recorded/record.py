#!/usr/bin/env python3
"""Records how far runs of different kinds were at each moment, for the tests of the time left.

    Tests/Recorded/record.py --sluice .build/release/sluice [--scale 80] [NAME ...]

Writes NAME.json beside this file: the share of the inputs that was read, in millionths, at times in
milliseconds, and how long the run took in all. By hand; the tests only read what was recorded.
"""
import argparse, gzip, json, os, random, string, subprocess, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def records(count, noise, seed):
    """Lines of JSON; the more noise, the less they compress."""
    rng = random.Random(seed)
    letters = string.ascii_letters + string.digits
    for number in range(count):
        filler = "".join(rng.choices(letters, k=noise)) + "some words again " * ((200 - noise) // 17)
        yield json.dumps({"n": number, "k": rng.randrange(1_000_000), "path": f"/p/{number % 97}", "text": filler}) + "\n"


def write(path, count, noise, seed):
    """The same records again and again, in one member: making them takes longer than writing them."""
    text = "".join(records(count, noise, seed)).encode()
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(arguments.scale): file.write(text)


def even(folder):
    for number in range(8):
        write(f"{folder}/{number}.jsonl.gz", 12_000, 40, number)


def ratios(folder):
    """The first half holds many times the text of the second, by compressed size."""
    for number in range(4):
        write(f"{folder}/{number}.jsonl.gz", 20_000, 0, number)
    for number in range(4, 8):
        write(f"{folder}/{number}.jsonl.gz", 6_000, 190, number)


def ratios_reversed(folder):
    for number in range(4):
        write(f"{folder}/{number}.jsonl.gz", 6_000, 190, number)
    for number in range(4, 8):
        write(f"{folder}/{number}.jsonl.gz", 20_000, 0, number)


def large_last(folder):
    """One reader is busy with the last file, when the others are done."""
    for number in range(6):
        write(f"{folder}/{number}.jsonl.gz", 4_000, 40, number)
    write(f"{folder}/9.jsonl.gz", 60_000, 40, 9)


SET = "stages: [{set: {m: n * 2}}, {keep: m >= 0}]\nsink: {file: out.jsonl.gz}\n"
KINDS = {
    "steady": (even, SET),
    "slow-start": (even, "stages: [{exec: [sh, -c, 'sleep 3; exec cat'], workers: 2, timeout: 60s}]\nsink: {file: out.jsonl.gz}\n"),
    "ratios": (ratios, SET),
    "ratios-reversed": (ratios_reversed, SET),
    "large-last": (large_last, SET),
    "sort": (even, "stages: [{sort: {by: [k]}}]\nsink: {file: out.jsonl.gz}\n"),
    "groups": (even, "stages: [{summarize: {by: {k: k}, values: {count: count()}}}]\nsink: {file: out.jsonl.gz}\n"),
    "days": (even, "stages: [{summarize: {by: {path: path}, values: {count: count(), most: max(n)}}}]\nsink: {file: out.jsonl.gz}\n"),
}


def record(name, sluice):
    make, rest = KINDS[name]
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/in")
        make(f"{folder}/in")
        with open(f"{folder}/p.yaml", "w") as file:
            file.write(f"name: p\nsource: {{files: 'in/*.gz', format: jsonl}}\n{rest}")
        done = subprocess.run([sluice, "run", "p.yaml", "--progress", "none"], cwd=folder, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stderr
        samples = json.load(open(f"{folder}/.sluice/p/samples.json"))
        report = json.load(open(f"{folder}/.sluice/p/report.json"))
    place = samples["columns"].index("share")
    series = [[row[0] // 1000, row[place]] for row in samples["samples"]]
    with open(f"{HERE}/{name}.json", "w") as file:
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in series)
        file.write(f'{{"milliseconds":{int(report["elapsed_seconds"] * 1000)},"series":[\n{rows}]}}\n')
    print(name, report["elapsed_seconds"], len(series), flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("--sluice", required=True)
parser.add_argument("--scale", type=int, default=80)
parser.add_argument("names", nargs="*")
arguments = parser.parse_args()
for name in arguments.names or KINDS:
    record(name, os.path.abspath(arguments.sluice))
