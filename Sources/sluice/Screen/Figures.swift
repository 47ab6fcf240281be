import SluiceDefinition

/// Formats numbers for people.
enum Figures {
    /// `1,234,567`
    static func count(_ number: some BinaryInteger) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }

    /// `1 record`, `1,234 records`.
    static func count(_ number: some BinaryInteger, _ thing: String) -> String { "\(count(number)) \(thing)\(number == 1 ? "" : "s")" }

    /// In a second: `1,234`, `0.4`, and `<0.1` rather than none.
    static func rate(_ perSecond: Double) -> String {
        if perSecond > 0, perSecond < 0.05 { return "<0.1" }
        let isSmall = perSecond < 9.95 && perSecond != perSecond.rounded()
        return isSmall ? fixed(perSecond, 1) : count(Int(perSecond.rounded()))
    }

    /// `0 B`, `812 B`, `1.2 kB`, `34 MB`: at most three digits, powers of 1,000.
    static func bytes(_ number: some BinaryInteger) -> String {
        var value = Double(number)
        for unit in ["B", "kB", "MB", "GB", "TB"] {
            if value < 999.5 || unit == "TB" { return unit == "B" ? "\(Int(value)) B" : "\(threeDigits(value)) \(unit)" }
            value /= 1000
        }
        return ""
    }

    /// `0.42 s`, `12.3 s`, `3:07`, `2:03:07`.
    static func seconds(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0 else { return "?" }
        if seconds < 10 { return "\(fixed(seconds, 2)) s" }
        if seconds < 60 { return "\(fixed(seconds, 1)) s" }
        return clock(seconds)
    }

    /// `0:12`, `3:07`, `2:03:07`.
    static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
        let whole = Int(seconds.rounded())
        let tail = padded(whole % 60)
        return whole < 3600 ? "\(whole / 60):\(tail)" : "\(whole / 3600):\(padded(whole / 60 % 60)):\(tail)"
    }

    /// A text on a single line without control characters.
    static func line(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }).printable }

    /// The same, truncated to a maximum number of
    /// characters.
    static func shortened(_ text: String, to most: Int) -> String {
        let line = line(String(text.prefix(most + 1)))
        return line.count > most ? line.prefix(most - 1) + "…" : line
    }

    static func percent(_ share: Double) -> String { "\(Int((min(max(share, 0), 1) * 100).rounded(.down))) %" }

    private static func threeDigits(_ value: Double) -> String {
        value < 9.995 ? fixed(value, 2) : value < 99.95 ? fixed(value, 1) : fixed(value, 0)
    }

    private static func fixed(_ value: Double, _ places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((value * Double(scale)).rounded())
        guard places > 0 else { return String(scaled) }
        let fraction = String(scaled % scale)
        return "\(scaled / scale)." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
