/// Parses amounts with units in pipeline files.
package enum Amounts {
    /// Parses `200ms`, `5s`, `1.5m`. The unit is required.
    static func duration(_ text: String) -> Duration? {
        guard let (number, unit) = split(text), let seconds = secondsByUnit[unit] else { return nil }
        let value = number * seconds
        guard value.isFinite, value <= 1e9 else { return nil }
        return .nanoseconds(Int64((value * 1e9).rounded()))
    }

    /// Parses a size in bytes: `16MiB`, `512KB`, `1000`.
    package static func size(_ text: String) -> Int? {
        guard let (number, unit) = split(text), let bytes = bytesByUnit[unit.lowercased()] else { return nil }
        let value = number * bytes
        guard value.isFinite, value <= 1e18, value == value.rounded(.down) else { return nil }
        return Int(value)
    }

    /// Parses `1%` to 0.01.
    static func share(_ text: String) -> Double? {
        guard let (number, unit) = split(text), unit == "%", number <= 100 else { return nil }
        return number / 100
    }

    /// Formats a number of bytes with the largest binary unit that divides it: `16MiB`.
    static func binary(_ bytes: Int) -> String {
        let units = ["", "KiB", "MiB", "GiB", "TiB"]
        let power = min(bytes.trailingZeroBitCount / 10, units.count - 1)
        return bytes == 0 ? "0" : "\(bytes >> (10 * power))\(units[power])"
    }

    static let durationFix = "write a number and a unit: 200ms, 5s, 1m, 2h"
    package static let sizeFix = "write a number of bytes, or a number and a unit: 512KB, 16MiB, 1GiB"

    static var durationUnits: [String] { Array(secondsByUnit.keys) }
    /// In lower case; they are accepted in any case.
    static var sizeUnits: [String] { Array(bytesByUnit.keys) }

    private static let secondsByUnit: [String: Double] = [
        "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86_400,
    ]

    private static let bytesByUnit: [String: Double] = [
        "": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
        "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824, "tib": 1_099_511_627_776,
    ]

    /// Splits an unsigned decimal number from its unit, which may follow after a space.
    private static func split(_ text: String) -> (number: Double, unit: String)? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "_") }
        guard let number = Double(digits.filter { $0 != "_" }) else { return nil }
        return (number, String(text.dropFirst(digits.count).drop { $0 == " " }))
    }
}
