#!/bin/sh
# Python's lzma, and lzma-mt, silently lose all that follows stream padding in an .xz file.
#
# The .xz format (2.2) allows zero bytes, a multiple of four, between and after the streams of a
# file. Appending to an archive that was padded to blocks gives such a file. xz and python-xz read
# all streams. `lzma.open` and `lzma.decompress` of Python's standard library take the padding for
# trailing garbage and return the streams before it, as if the file ended there; so does lzma-mt.
#
# Seen on 2026-11-28 with Python 3.11.7, lzma-mt 0.2.1 and python-xz 0.7.0 from PyPI, xz 5.4.1; of
# 2,000 lines in two streams:
#
#     xz -dc            2000
#     python-xz         2000
#     lzma.open         1000
#     lzma.decompress   1000
#     lzma-mt           1000
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check lzma-mt==0.2.1 python-xz==0.7.0
{
    seq 1000 | xz
    head -c 4 /dev/zero
    seq 1001 2000 | xz
} > padded.xz
cat > read.py <<'PY'
import lzma
import lzma_mt
import xz

data = open("padded.xz", "rb").read()
for name, text in [
    ("python-xz", xz.open("padded.xz").read()),
    ("lzma.open", lzma.open("padded.xz").read()),
    ("lzma.decompress", lzma.decompress(data)),
    ("lzma-mt", lzma_mt.decompress(data)),
]:
    print(name, text.count(b"\n"))
PY
{
    echo "xz -dc $(xz -dc padded.xz | wc -l)"
    venv/bin/python read.py
} > seen
diff - seen <<'SEEN'
xz -dc 2000
python-xz 2000
lzma.open 1000
lzma.decompress 1000
lzma-mt 1000
SEEN
echo "as described"
