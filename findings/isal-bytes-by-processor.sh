#!/bin/sh
# The same igzip compresses the same text to other bytes on another x86-64 processor.
#
# ISA-L chooses its compressing functions at run time by the processor's vector instructions, and
# those don't find the same matches. So a checksum or a deduplicating store of .gz files made by
# igzip, or by Python's isal, may see two files where two machines of a pipeline compressed one text
# with the same package and level. Levels 0 to 2 depend on SSE 4.2, which all servers have today,
# level 3 on AVX2 as well (and on AVX-512, which QEMU doesn't emulate).
#
# Seen on 2026-11-28 with ISA-L 2.30.0 (Debian 2.30.0-5, amd64) on processor models of QEMU 7.2
# (Debian 1:7.2+dfsg-7+deb12u18+b3); equal letters in a line are equal bytes, and all give back the text:
#
#     level  core2duo  Nehalem  Haswell
#     0      a         b        b
#     1      a         b        b
#     2      a         b        b
#     3      a         a        b
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

apt-get download -qq -o APT::Sandbox::User=root isal=2.30.0-5 libisal2=2.30.0-5 'qemu-user-static=1:7.2+dfsg-7+deb12u18+b3'
for package in *.deb; do dpkg -x "$package" debian; done
export LD_LIBRARY_PATH="$work/debian/usr/lib/x86_64-linux-gnu"

awk 'BEGIN { for (n = 1; n <= 4000; n++) printf "{\"ts\":%d,\"status\":%d,\"path\":\"/a/%x\"}\n", n * 7, 200 + n * n % 3 * 100, n * 7919 % 65536 }' > text
for level in 0 1 2 3; do
    line=$level
    known=
    for processor in core2duo Nehalem Haswell; do
        debian/usr/bin/qemu-x86_64-static -cpu $processor debian/usr/bin/igzip -$level -n -c text > $processor.gz 2>/dev/null
        gzip -dc $processor.gz | cmp - text
        letter=
        for other in $known; do
            if cmp -s "${other%=*}.gz" $processor.gz; then letter=${other#*=}; fi
        done
        if [ -z "$letter" ]; then letter=$(echo "$known" | tr ' ' '\n' | sed -n 's/.*=//p' | sort -u | wc -l | tr 0123 abcd); fi
        known="$known $processor=$letter"
        line="$line $letter"
    done
    echo "$line"
done > seen
diff - seen <<'SEEN'
0 a b b
1 a b b
2 a b b
3 a a b
SEEN
echo "as described"
