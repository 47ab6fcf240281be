internal import Glibc

/// The shortest decimal digits that read back as the same `double`, without sign: 0.`digits` ×
/// 10^`exponent`.
private struct ShortestDecimal {
    var digits: [UInt8]
    var exponent: Int

    init(_ value: Double) {
        digits = []
        exponent = 0
        var seenPoint = false
        var text = value.magnitude.description.utf8[...]
        while let byte = text.popFirst(), byte != UInt8(ascii: "e") {
            if byte == UInt8(ascii: ".") {
                seenPoint = true
            } else {
                digits.append(byte)
                if !seenPoint { exponent += 1 }
            }
        }
        exponent += Int(String(Substring(text))) ?? 0
        while digits.count > 1, digits.first == UInt8(ascii: "0") {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
    }

    var isZero: Bool { digits == [UInt8(ascii: "0")] }

    /// Without an exponent: `0.0045`, `1000`.
    var plain: String {
        if isZero { return "0" }
        if exponent <= 0 { return "0." + String(repeating: "0", count: -exponent) + String(decoding: digits, as: UTF8.self) }
        if exponent >= digits.count {
            return String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: exponent - digits.count)
        }
        return String(decoding: digits[..<exponent], as: UTF8.self) + "." + String(decoding: digits[exponent...], as: UTF8.self)
    }

    /// `1.5e+30`
    var scientific: String {
        let power = exponent - 1
        let first = String(decoding: digits.prefix(1), as: UTF8.self)
        let rest = digits.count > 1 ? "." + String(decoding: digits.dropFirst(), as: UTF8.self) : ""
        return first + rest + "e" + (power < 0 ? "-" : "+") + padded(abs(power), 2)
    }
}

extension Double {
    /// As `string(x)` writes it: shortest digits, no `.0`, an exponent from 10^21 up and below
    /// 10^-6.
    var text: String {
        guard isFinite else { return specialText }
        let decimal = ShortestDecimal(self)
        let isPlain = decimal.isZero || (-5...21).contains(decimal.exponent)
        return (sign == .minus ? "-" : "") + (isPlain ? decimal.plain : decimal.scientific)
    }

    /// Shortest digits and never an exponent.
    var plainText: String {
        guard isFinite else { return specialText }
        return (sign == .minus ? "-" : "") + ShortestDecimal(self).plain
    }

    /// As a literal of the language: always read back as a `double`.
    var literalText: String {
        let text = text
        return isFinite && !text.utf8.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") }) ? text + ".0" : text
    }

    private var specialText: String { isNaN ? "NaN" : sign == .minus ? "-Infinity" : "Infinity" }

    /// `printf`'s `%.*f` or `%.*e`: exactly `precision` digits after the point, ties to even.
    func formatted(_ style: NumberStyle, precision: Int) -> String {
        guard isFinite else { return specialText }
        let format = style == .fixed ? "%.*f" : "%.*e"
        var buffer = [CChar](repeating: 0, count: 400 + precision)
        let written = withVaList([Int32(clamping: precision), self]) { vsnprintf(&buffer, buffer.count, format, $0) }
        return String(decoding: buffer.prefix(Int(written)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

enum NumberStyle {
    case fixed
    case scientific
}
