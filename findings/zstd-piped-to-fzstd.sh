#!/bin/sh
# fzstd reads .zst files that were written from a pipe as zeros, without an error.
#
# zstd only notes the size of the text in a frame if it knows it beforehand, which it doesn't when
# it reads a pipe (`producer | zstd > x.zst`), and neither does a log writer that compresses as it
# goes. fzstd, a zstd reader in pure Python, returns as many bytes as the text has for such a frame,
# all of them NUL, once the frame has a compressed block. With the size in the frame it is right.
#
# Seen on 2026-11-28 with fzstd 0.1.1 and zstandard 0.25.0 from PyPI, Python 3.11; the frame without
# size is what `zstd` writes from a pipe, made here with `write_content_size=False`:
#
#     with size     5520 bytes, equal
#     without size  5520 bytes, all NUL
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check fzstd==0.1.1 zstandard==0.25.0
cat > read.py <<'PY'
import fzstd
import zstandard

text = b"".join(b"level=info n=%04d line\n" % number for number in range(240))
for title, has_size in [("with size", True), ("without size", False)]:
    data = zstandard.ZstdCompressor(write_content_size=has_size).compress(text)
    assert zstandard.ZstdDecompressor().decompress(data, max_output_size=len(text)) == text
    found = bytes(fzstd.decompress(data))
    print(title, len(found), "equal" if found == text else "all NUL" if not any(found) else "different")
PY
venv/bin/python read.py > seen
diff - seen <<'SEEN'
with size 5520 equal
without size 5520 all NUL
SEEN
echo "as described"
