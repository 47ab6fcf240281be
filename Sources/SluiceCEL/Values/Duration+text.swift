extension Duration {
    /// 10,000 years, as in protocol buffers.
    private static let longestSeconds: Int128 = 315_576_000_000

    /// Nil beyond 10,000 years.
    init?(nanoseconds: Int128) {
        guard nanoseconds.magnitude <= Duration.longestSeconds.magnitude * 1_000_000_000 else { return nil }
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.init(secondsComponent: Int64(seconds), attosecondsComponent: Int64(rest) * 1_000_000_000)
    }

    /// Exact for every duration of the language.
    var wholeNanoseconds: Int128 {
        let (seconds, attoseconds) = components
        return Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000)
    }

    /// Reads `1h30m`, `-1.5s`, `0`, with the units h m s ms us µs ns.
    ///
    /// - Throws: if it is not a duration, or longer than 10,000 years.
    init(parsing text: String) throws(EvaluationError) {
        let invalid = EvaluationError.invalid("'\(text)' is not a duration")
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        if rest.elementsEqual("0".utf8) {
            self = .zero
            return
        }
        guard !rest.isEmpty else { throw invalid }
        var total: Int128 = 0
        while !rest.isEmpty {
            guard let part = Duration.takePart(&rest) else { throw invalid }
            total += part
        }
        guard let duration = Duration(nanoseconds: isNegative ? -total : total) else {
            throw EvaluationError(.overflow, "the duration '\(text)' is out of range")
        }
        self = duration
    }

    /// One number and its unit, in nanoseconds; nil if there is none. Very long numbers become "out
    /// of range".
    private static func takePart(_ rest: inout ArraySlice<UInt8>) -> Int128? {
        var number: Int128 = 0
        var divisor: Int128 = 1
        var digits = 0
        var isFraction = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "."), !isFraction {
                isFraction = true
            } else if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                digits += 1
                if number < 1_000_000_000_000_000_000_000 {
                    number = number * 10 + Int128(byte - UInt8(ascii: "0"))
                    if isFraction { divisor *= 10 }
                } else if !isFraction {
                    number = 1_000_000_000_000_000_000_000_000
                }
            } else {
                break
            }
            rest.removeFirst()
        }
        guard digits > 0, let unit = takeUnit(&rest) else { return nil }
        return number * unit / divisor
    }

    private static func takeUnit(_ rest: inout ArraySlice<UInt8>) -> Int128? {
        let units: [(String, Int128)] = [
            ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000),
            ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ]
        for (name, nanoseconds) in units where rest.starts(with: name.utf8) {
            rest = rest.dropFirst(name.utf8.count)
            return nanoseconds
        }
        return nil
    }

    /// Seconds with as many fractional digits as needed: `60.001s`.
    var text: String {
        let nanoseconds = wholeNanoseconds
        let (seconds, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        return (nanoseconds < 0 ? "-" : "") + String(seconds) + fractionText(Int(rest)) + "s"
    }
}
