#!/bin/sh
# zat's ZeekLogReader makes `false` of a bool that Zeek did not set, and leaves its escapes alone.
#
# In Zeek's TSV logs `-` is a field without a value and `(empty)` an empty one, and bytes that would
# be ambiguous are written as `\xHH`, such as a comma within an element of a set or a `-` that is
# text. zat gives `False` for an unset bool, so "was not looked at" becomes "no"; strings keep `-`,
# `(empty)` and `\x2c` as text, sets are not divided. parsezeeklogs reads all of it as Zeek means
# it, and leaves unset fields out.
#
# Seen on 2026-11-28 with zat 0.4.9 (its dependency: pandas 3.0.6) and parsezeeklogs 3.0.1 from
# PyPI, Python 3.11. Each record of the log, and what was read from it:
#
#     T  a\x2cb,c  text     zat True 'a\\x2cb,c' 'text'    parsezeeklogs True ['a,b', 'c'] 'text'
#     -  (empty)   -        zat False '(empty)' '-'        parsezeeklogs None [] None
#     F  x         \x2d     zat False 'x' '\\x2d'          parsezeeklogs False ['x'] '-'
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check zat==0.4.9 pandas==3.0.6 parsezeeklogs==3.0.1
cat > log.py <<'PY'
head = [
    ("#separator \\x09",),
    ("#set_separator", ","),
    ("#empty_field", "(empty)"),
    ("#unset_field", "-"),
    ("#path", "finding"),
    ("#open", "2026-11-28-10-00-00"),
    ("#fields", "ts", "rejected", "answers", "query"),
    ("#types", "time", "bool", "set[string]", "string"),
]
rows = [("T", "a\\x2cb,c", "text"), ("-", "(empty)", "-"), ("F", "x", "\\x2d")]
lines = head + [("1795860000.5", *row) for row in rows] + [("#close", "2026-11-28-11-00-00")]
open("zeek.log", "w").write("".join("\t".join(line) + "\n" for line in lines))
PY
cat > read.py <<'PY'
import json

from parsezeeklogs import ParseZeekLogs
from zat.zeek_log_reader import ZeekLogReader

for row in ZeekLogReader("zeek.log").readrows():
    print("zat", row["rejected"], repr(row["answers"]), repr(row["query"]))
for line in ParseZeekLogs("zeek.log", output_format="json"):
    row = json.loads(line)
    print("parsezeeklogs", row.get("rejected"), row.get("answers"), repr(row.get("query")))
PY
venv/bin/python log.py
venv/bin/python read.py | grep -v '^Successfully monitoring' > seen
diff - seen <<'SEEN'
zat True 'a\\x2cb,c' 'text'
zat False '(empty)' '-'
zat False 'x' '\\x2d'
parsezeeklogs True ['a,b', 'c'] 'text'
parsezeeklogs None [] None
parsezeeklogs False ['x'] '-'
SEEN
echo "as described"
