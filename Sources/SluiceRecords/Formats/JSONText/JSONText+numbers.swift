extension JSONText {
    package static func write(_ value: Int, to buffer: ByteBuffer) {
        if value < 0 { buffer.append(UInt8(ascii: "-")) }
        writeDigits(UInt64(value.magnitude), to: buffer)
    }

    static func writeDigits(_ value: UInt64, to buffer: ByteBuffer) {
        buffer.reserve(20)
        let count = digitCount(value)
        place(value, count, buffer.start + buffer.count)
        buffer.count += count
    }

    /// Pads with leading zeros to the width.
    static func writeDigits(_ value: UInt64, width: Int, to buffer: ByteBuffer) {
        buffer.reserve(width)
        place(value, width, buffer.start + buffer.count)
        buffer.count += width
    }

    private static func digitCount(_ value: UInt64) -> Int {
        var count = 1
        var rest = value
        while rest >= 10_000 {
            rest /= 10_000
            count += 4
        }
        return count + (rest >= 1000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0)
    }

    @inline(__always)
    private static func place(_ value: UInt64, _ width: Int, _ target: UnsafeMutablePointer<UInt8>) {
        var rest = value
        var index = width
        while index > 0 {
            index -= 1
            let tenth = rest / 10
            target[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- tenth &* 10)
            rest = tenth
        }
    }

    /// Writes the shortest decimal that reads back as the same double, with a point or an exponent
    /// (`3.0`, `0.1`, `1e+20`), so that it reads back as a double. NaN and the infinities, which
    /// JSON cannot represent as numbers, become the strings `"NaN"`, `"Infinity"` and
    /// `"-Infinity"`.
    package static func write(_ value: Double, to buffer: ByteBuffer) {
        guard value.isFinite else {
            buffer.append(value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
            return
        }
        if writeShort(value, to: buffer) { return }
        var text = value.description
        text.withUTF8 { buffer.append($0) }
    }

    /// Writes doubles of at most 15 digits, 9 of them after the point. In this range, the nearest
    /// such decimal is the shortest and the only one that reads back as the same double, and one
    /// division tells whether it does.
    private static func writeShort(_ value: Double, to buffer: ByteBuffer) -> Bool {
        let magnitude = value.magnitude
        guard magnitude < 1e6, magnitude >= 1e-4 || magnitude == 0 else { return false }
        let scaled = (magnitude * 1e9).rounded()
        guard scaled / 1e9 == magnitude else { return false }
        let (whole, fraction) = UInt64(scaled).quotientAndRemainder(dividingBy: 1_000_000_000)
        if value.sign == .minus { buffer.append(UInt8(ascii: "-")) }
        writeDigits(whole, to: buffer)
        buffer.append(UInt8(ascii: "."))
        writeFraction(fraction, to: buffer)
        return true
    }

    /// Writes billionths as the digits after a point: at least one, without trailing zeros.
    private static func writeFraction(_ billionths: UInt64, to buffer: ByteBuffer) {
        var rest = billionths
        var width = 9
        if rest % 1_000_000 == 0 {
            rest /= 1_000_000
            width = 3
        } else if rest % 1000 == 0 {
            rest /= 1000
            width = 6
        }
        while width > 1, rest % 10 == 0 {
            rest /= 10
            width -= 1
        }
        writeDigits(rest, width: width, to: buffer)
    }

    /// RFC 3339 in UTC, quoted, with as many digits of the fraction as needed.
    static func writeTimestamp(seconds: Int64, nanoseconds: UInt32, to buffer: ByteBuffer) {
        let day = (seconds >= 0 ? seconds : seconds - 86399) / 86400
        let second = UInt64(seconds - day * 86400)
        let date = civilDate(day)
        let template: StaticString = "\"0000-00-00T00:00:00"
        let start = buffer.count
        buffer.append(template)
        let target = buffer.start + start
        place(UInt64(max(0, date.year)), 4, target + 1)
        place(UInt64(date.month), 2, target + 6)
        place(UInt64(date.day), 2, target + 9)
        place(second / 3600, 2, target + 12)
        place(second / 60 % 60, 2, target + 15)
        place(second % 60, 2, target + 18)
        if nanoseconds > 0 {
            buffer.append(UInt8(ascii: "."))
            writeFraction(UInt64(nanoseconds), to: buffer)
        }
        buffer.append("Z\"")
    }

    /// For the Gregorian calendar (H. Hinnant, `civil_from_days`).
    private static func civilDate(_ daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// Seconds with an optional fraction, quoted: `"1.5s"`.
    static func writeDuration(seconds: Int64, nanoseconds: Int32, to buffer: ByteBuffer) {
        buffer.append(UInt8(ascii: "\""))
        if seconds < 0 || nanoseconds < 0 { buffer.append(UInt8(ascii: "-")) }
        writeDigits(seconds.magnitude, to: buffer)
        if nanoseconds != 0 {
            buffer.append(UInt8(ascii: "."))
            writeFraction(UInt64(nanoseconds.magnitude), to: buffer)
        }
        buffer.append("s\"")
    }
}
