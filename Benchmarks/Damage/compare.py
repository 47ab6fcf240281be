#!/usr/bin/env python3
"""Gives the same damaged gzip files to sluice and to other programs, and prints what each makes of them as a table.

    Benchmarks/Damage/compare.py --sluice .build/release/sluice [--keep FOLDER] [--json FILE]

40,000 records of JSON lines in two members are damaged in several ways. A cell says how many records a program gives and,
of these, how many are not in the original; and how it ends. Programs that are not installed are left out; DuckDB, Polars,
chDB (ClickHouse) and rapidgzip are taken from the Python that runs this.
"""

import argparse
import gzip
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

LINES = [
    json.dumps({"n": n, "user": f"u{n * 7919 % 1000}", "path": f"/item/{n * 104729 % 65536:x}", "ms": n * 31 % 997}).encode() + b"\n"
    for n in range(40_000)
]


def member(lines):
    return gzip.compress(b"".join(lines), compresslevel=6, mtime=0)


def files():
    """The name and the bytes of each file."""
    first, second = member(LINES[:20_000]), member(LINES[20_000:])
    middle = len(first) // 2

    def changed(data, place, by):
        return data[:place] + bytes([data[place] ^ by]) + data[place + 1 :]

    yield "intact", first + second
    yield "cut in the second member", first + second[: len(second) // 2]
    yield "a bit flipped in the first", changed(first, middle, 0x10) + second
    yield "wrong checksum of the first", changed(first, len(first) - 8, 0xFF) + second
    yield "garbage between", first + bytes(range(1, 200)) + second
    yield "header of the second damaged", first + changed(second, 1, 0xFF)
    yield "zeros at the end", first + second + bytes(1000)
    yield "garbage at the end", first + second + bytes(range(1, 200))


JAVA = """
import java.io.*;
import java.util.zip.*;
public class Cat { public static void main(String[] a) throws IOException {
    try (InputStream in = new GZIPInputStream(new FileInputStream(a[0]))) { in.transferTo(System.out); } finally { System.out.flush(); } } }
"""
NODE = """const z = require('zlib').createGunzip(); const f = require('fs').createReadStream(process.argv[1]);
require('stream').pipeline(f, z, process.stdout, e => { process.exitCode = e ? 1 : 0; });"""
PERL = """use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
gunzip($ARGV[0] => '-', MultiStream => 1) or die "$GunzipError\\n";"""
PYTHON = """import gzip, sys
with gzip.open(sys.argv[1]) as f:
    for line in f: sys.stdout.buffer.write(line)"""
DUCKDB = """import duckdb, sys
for row in duckdb.sql(f"select n, user, path, ms from read_json('{sys.argv[1]}', format='newline_delimited')").fetchall():
    import json; print(json.dumps(dict(zip(["n", "user", "path", "ms"], row))))"""
POLARS = """import polars, sys
sys.stdout.write(polars.read_ndjson(sys.argv[1]).write_ndjson())"""
CHDB = """import chdb, sys
sys.stdout.write(str(chdb.query(f"select n, user, path, ms from file('{sys.argv[1]}', JSONEachRow, 'n Int64, user String, path String, ms Int64')", "JSONEachRow")))"""


def programs(sluice, work):
    cat = work / "Cat.java"
    cat.write_text(JAVA)
    python = sys.executable
    salvage = work / "salvage.yaml"
    salvage.write_text("name: damage\nsource: {files: '${file}', format: jsonl}\nparams: {file: x}\nsink: {stdout: true}\n")
    aside = work / "aside.yaml"
    aside.write_text(salvage.read_text().replace("format: jsonl", "format: jsonl, on_damage: set_aside"))
    state = ["--state", str(work / "state"), "--restart", "--progress", "none"]
    yield "sluice", lambda f: [sluice, "run", str(salvage), "--set", f"file={f}"] + state
    yield "sluice, `on_damage: set_aside`", lambda f: [sluice, "run", str(aside), "--set", f"file={f}"] + state
    for name, command in [
        ("gzip", ["gzip", "-dc"]), ("pigz", ["pigz", "-dc"]), ("igzip", ["igzip", "-dc"]), ("busybox", ["busybox", "gunzip", "-c"]),
        ("bsdcat", ["bsdcat"]), ("Perl, IO::Uncompress", ["perl", "-e", PERL]), ("Node, zlib", ["node", "-e", NODE]),
        ("Java, GZIPInputStream", ["java", str(cat)]), ("Miller", ["mlr", "--ojsonl", "--ijsonl", "--gzin", "cat"]),
    ]:
        if shutil.which(command[0]):
            yield name, lambda f, command=command: command + [str(f)]
    for name, module, text in [
        ("Python, gzip", "gzip", PYTHON), ("DuckDB", "duckdb", DUCKDB), ("Polars", "polars", POLARS), ("ClickHouse (chDB)", "chdb", CHDB)
    ]:
        if subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0:
            yield name, lambda f, text=text: [python, "-c", text, str(f)]
    rapid = pathlib.Path(python).parent / "rapidgzip"
    if rapid.exists():
        yield "rapidgzip", lambda f: [str(rapid), "-dc", str(f)]


def canonical(line):
    """A record as bytes, or the line if it is none: programs write JSON with other blanks."""
    try:
        return json.dumps(json.loads(line), sort_keys=True).encode()
    except ValueError:
        return line


def judge(command, known):
    try:
        result = subprocess.run(command, capture_output=True, timeout=300)
    except subprocess.TimeoutExpired:
        return {"records": 0, "wrong": 0, "end": "no end"}
    lines = [canonical(line) for line in result.stdout.split(b"\n") if line]
    wrong = sum(line not in known for line in lines)
    end = f"signal {-result.returncode}" if result.returncode < 0 else f"exit {result.returncode}"
    return {"records": len(lines) - wrong, "wrong": wrong, "end": end, "said": result.stderr.decode(errors="replace").strip()[:200]}


def cell(found):
    wrong = f" + {found['wrong']:,} wrong" if found["wrong"] else ""
    silent = "" if found["end"] != "exit 0" or found.get("said") else ", silent"
    return f"{found['records']:,}{wrong}, {found['end']}{silent}"


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--sluice", required=True)
    options.add_argument("--keep", help="write the damaged files to this folder")
    options.add_argument("--json", help="also write what was found to this file")
    options = options.parse_args()
    known = {canonical(line) for line in LINES}
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(options.keep or folder)
        work.mkdir(parents=True, exist_ok=True)
        damaged = []
        for name, data in files():
            path = work / (name.replace(" ", "-") + ".jsonl.gz")
            path.write_bytes(data)
            damaged.append((name, path))
        found = {
            program: {name: judge(command(path), known) for name, path in damaged}
            for program, command in programs(str(pathlib.Path(options.sluice).resolve()), work)
        }
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(found, indent=1) + "\n")
    names = [name for name, _ in damaged]
    print("| program | " + " | ".join(names) + " |")
    print("| --- |" + " --- |" * len(names))
    for program, cells in found.items():
        print(f"| {program} | " + " | ".join(cell(cells[name]) for name in names) + " |")


if __name__ == "__main__":
    main()
