#!/bin/sh
# `Double.init` as a function of UInt64 is Swift's `init(bitPattern:)`, without a word.
#
# `numbers.map(Double.init)` converts, as everyone writes it, if the numbers are Int, Int64 or UInt32. If they are UInt64, it
# reinterprets their bits: 1,000 becomes 4.94e-321. A reference to an initializer has no argument label, so both
# `init(_: UInt64)` and `init(bitPattern: UInt64)` fit, and the second is chosen; likewise Float and UInt32, and with
# `Optional.map`. There is neither an error nor a warning. Ratios of such numbers are nearly right as long as all of them
# are made this way, since small bit patterns are subnormal numbers in proportion to the integers.
# `numbers.map { Double($0) }` converts.
#
# Seen on 2026-11-29 with Swift 6.3.1 on Linux, x86-64, also in Swift 5 mode and with -O:
#
#     [UInt64]  Double.init  4.94e-321     [Int64]   Double.init  1000.0
#     UInt64?   Double.init  4.94e-321     [UInt64]  Float.init   1000.0
#     [UInt32]  Float.init   1.401e-42     [UInt64]  closure      1000.0
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

swift --version 2>/dev/null | grep -o 'Swift version [0-9.]*' | head -n 1
cat > main.swift <<'SWIFT'
let wide: [UInt64] = [1_000]
let narrow: [UInt32] = [1_000]
let maybe: UInt64? = 1_000
print(wide.map(Double.init)[0], maybe.map(Double.init)!, narrow.map(Float.init)[0])
print([Int64(1_000)].map(Double.init)[0], wide.map(Float.init)[0], wide.map { Double($0) }[0], narrow.map(Double.init)[0])
SWIFT
printf '4.94e-321 4.94e-321 1.401e-42\n1000.0 1000.0 1000.0 1000.0\n' > expected
for mode in "-swift-version 6" "-swift-version 5" "-swift-version 6 -O"; do
    # shellcheck disable=SC2086
    swiftc $mode main.swift -o main 2>warnings
    if [ -s warnings ]; then
        cat warnings
        echo "$mode: the compiler says something now" >&2
        exit 1
    fi
    ./main > output
    diff expected output || { echo "$mode: differs" >&2; exit 1; }
done
echo "as described"
