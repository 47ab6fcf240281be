#!/bin/sh
# A .zst file that begins with a skippable frame is empty to some readers.
#
# pzstd, in Debian's package zstd, writes a skippable frame before each frame, so its files begin
# with one (RFC 8878, 3.1.2). zstd itself reads them. Of the functions of Python's zstandard, the
# stream readers do, too; `decompressobj` and `read_to_iter` give no bytes and no error, which looks
# like an empty file, and `decompress` raises. `decompress` of the package zstd raises, too.
#
# Seen on 2026-11-28 with zstd 1.5.4 (Debian 1.5.4+dfsg2-5), zstandard 0.25.0 and zstd 1.5.7.2 from
# PyPI, Python 3.11, for a text of 588,895 bytes:
#
#     zstd -dc                  588895
#     zstandard.stream_reader   588895
#     zstandard.decompressobj   0
#     zstandard.read_to_iter    0
#     zstandard.decompress      ZstdError
#     zstd.decompress           Error
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

apt-get download -qq -o APT::Sandbox::User=root zstd=1.5.4+dfsg2-5
dpkg -x zstd_*.deb debian
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check zstandard==0.25.0 zstd==1.5.7.2

seq 100000 > text
debian/usr/bin/pzstd -q text -o text.zst
cat > read.py <<'PY'
import io
import zstandard
import zstd

data = open("text.zst", "rb").read()
reader = zstandard.ZstdDecompressor
for name, read in [
    ("zstandard.stream_reader", lambda: reader().stream_reader(io.BytesIO(data)).read()),
    ("zstandard.decompressobj", lambda: reader().decompressobj().decompress(data)),
    ("zstandard.read_to_iter", lambda: b"".join(reader().read_to_iter(data))),
    ("zstandard.decompress", lambda: reader().decompress(data, max_output_size=1 << 20)),
    ("zstd.decompress", lambda: zstd.decompress(data)),
]:
    try:
        print(name, len(read()))
    except Exception as error:
        print(name, type(error).__name__)
PY
{
    echo "zstd -dc $(debian/usr/bin/zstd -dcq text.zst | wc -c)"
    venv/bin/python read.py
} > seen
diff - seen <<'SEEN'
zstd -dc 588895
zstandard.stream_reader 588895
zstandard.decompressobj 0
zstandard.read_to_iter 0
zstandard.decompress ZstdError
zstd.decompress Error
SEEN
echo "as described"
