#!/bin/sh
# A logfmt value with an escape costs the fields after it, an empty value swallows the next one.
#
# logfmter writes a value that has a line feed, a tab or a backslash in quotes, with the escapes of
# Go's logfmt packages. The reader called logfmt only knows `\"`: at any other backslash it makes
# the key a flag (`True`) and drops the rest of the line. klp reads those lines, but takes an empty
# value, which logfmter writes as `v=`, for the beginning of the next field. logfmtkv reads all of
# them as they were. None reports an error.
#
# Seen on 2026-11-28 with logfmter 0.0.12, logfmt 0.4, logfmtkv 0.2.1 and klp-logviewer 0.77.0 from
# PyPI, Python 3.11. After the line as logfmter writes it, what is wrong:
#
#     v="quote \" in" after=1
#     v="one\ntwo" after=1            logfmt {'v': True}
#     v="C:\\new folder" after=1      logfmt {'v': True}
#     v= after=1                      logfmt {'v': True, 'after': '1'}   klp {'v': 'after=1'}
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check logfmter==0.0.12 logfmt==0.4 logfmtkv==0.2.1 klp-logviewer==0.77.0
cat > read.py <<'PY'
import io
import json
import logging
import subprocess

import logfmt
import logfmtkv
from logfmter import Logfmter


def klp(line):
    command = ["venv/bin/klp", "-f", "logfmt", "-F", "jsonl", "-"]
    return json.loads(subprocess.run(command, input=line + "\n", capture_output=True, text=True).stdout)


for value in ['quote " in', "one\ntwo", "C:\\new folder", ""]:
    fields = {"v": value, "after": "1"}
    line = Logfmter(keys=[]).format(logging.LogRecord("log", logging.INFO, "file", 1, fields, (), None))
    print(line)
    for name, found in [
        ("logfmt", list(logfmt.parse(io.StringIO(line + "\n")))[0]),
        ("logfmtkv", logfmtkv.parse(line)),
        ("klp", klp(line)),
    ]:
        print(" ", name, "equal" if found == fields else found)
PY
venv/bin/python read.py > seen
diff - seen <<'SEEN'
v="quote \" in" after=1
  logfmt equal
  logfmtkv equal
  klp equal
v="one\ntwo" after=1
  logfmt {'v': True}
  logfmtkv equal
  klp equal
v="C:\\new folder" after=1
  logfmt {'v': True}
  logfmtkv equal
  klp equal
v= after=1
  logfmt {'v': True, 'after': '1'}
  logfmtkv equal
  klp {'v': 'after=1'}
SEEN
echo "as described"
