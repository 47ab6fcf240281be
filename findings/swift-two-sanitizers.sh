#!/bin/sh
# Of two sanitizers, `swift build` gives Swift code one, by chance, and links both.
#
# `swift build --sanitize fuzzer --sanitize address` passes both to the compiler, in an order that differs from one run to
# the next. Of several `-sanitize=` options, swiftc hands only the last to the compilation, but all of them to the linker.
# So the program has the runtimes of both, but its Swift code is checked by one of them, depending on the run that built it.
# There is neither an error nor a warning. `-Xswiftc -sanitize=fuzzer,address`, one option, gives Swift code both.
#
# Seen on 2026-11-29 with Swift 6.3.1 on Linux, x86-64:
#
#     -sanitize=fuzzer -sanitize=address     compiles with address            links address,fuzzer
#     -sanitize=address -sanitize=fuzzer     compiles with fuzzer             links address,fuzzer
#     -sanitize=fuzzer,address               compiles with fuzzer,address     links address,fuzzer
#     swift build, twice                     passes fuzzer before address, or after it
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

swift --version 2>/dev/null | grep -o 'Swift version [0-9.]*' | head -n 1
mkdir -p Sources/tiny
echo '@main struct Tiny { static func main() { print(1) } }' > Sources/tiny/tiny.swift
cat > Package.swift <<'SWIFT'
// swift-tools-version: 6.0
import PackageDescription
let package = Package(name: "tiny", targets: [.executableTarget(name: "tiny")])
SWIFT

compiled() {
    swiftc "$@" -parse-as-library Sources/tiny/tiny.swift -o tiny '-###' > commands 2>&1
    printf '%s links %s\n' "$(grep -o ' -sanitize=[a-z,]*' commands | tr -d '\n')" "$(grep -o 'fsanitize=[a-z,]*' commands)"
}
{
    compiled -sanitize=fuzzer -sanitize=address
    compiled -sanitize=address -sanitize=fuzzer
    compiled -sanitize=fuzzer,address
} > output
cat > expected <<'TEXT'
 -sanitize=address links fsanitize=address,fuzzer
 -sanitize=fuzzer links fsanitize=address,fuzzer
 -sanitize=fuzzer,address links fsanitize=address,fuzzer
TEXT
diff expected output || { echo "swiftc does something else now" >&2; exit 1; }

# Each order comes up every other time: that one of them does not in 24 runs is as likely as 1 in 8 million.
orders=0
tries=0
: > orders
while [ "$orders" -lt 2 ] && [ "$tries" -lt 24 ]; do
    rm -rf .build
    # Only the command is of interest; to link, a fuzzer would need an entry point.
    swift build --verbose --sanitize fuzzer --sanitize address > log 2>&1 || true
    grep -o 'swiftc -module-name tiny .*' log | head -n 1 | grep -o ' -sanitize=[a-z,]*' | tr -d '\n' >> orders
    echo >> orders
    tries=$((tries + 1))
    orders=$(sort -u orders | grep -c sanitize)
done
sort -u orders
[ "$orders" -eq 2 ] || { echo "swift build passes them in one order now, or not both" >&2; exit 1; }
echo "as described"
