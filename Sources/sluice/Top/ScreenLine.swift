/// A line of a screen: texts that are safe to show, each in a style.
struct ScreenLine: Equatable {
    enum Style: String {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case reversed = "7"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    struct Span: Equatable {
        var text: String
        var style: Style
    }

    private(set) var spans: [Span] = []

    init() {}

    /// - Parameter text: safe.
    init(_ text: String, _ style: Style = .plain) { append(text, style) }

    mutating func append(_ text: String, _ style: Style = .plain) {
        if !text.isEmpty { spans.append(Span(text: text, style: style)) }
    }

    var text: String { spans.map(\.text).joined() }

    /// The columns that it takes.
    var width: Int { TerminalText.width(of: text) }

    /// What of it fits, with `…` for what does not.
    func cut(to columns: Int) -> ScreenLine {
        guard width > columns else { return self }
        var line = ScreenLine()
        guard columns > 0 else { return line }
        var left = columns - 1
        for span in spans {
            let (text, used) = TerminalText.beginning(of: span.text, left)
            guard text == span.text else {
                line.append(text + "…", span.style)
                break
            }
            line.append(text, span.style)
            left -= used
        }
        return line
    }

    /// As a terminal takes it.
    func codes(isColored: Bool) -> String {
        guard isColored else { return text }
        return spans.map { $0.style == .plain ? $0.text : "\u{1B}[\($0.style.rawValue)m\($0.text)\u{1B}[0m" }.joined()
    }
}

/// A curve in one line of text.
enum Sparkline {
    private static let blocks = Array("▁▂▃▄▅▆▇█")

    /// - Parameter values: not negative; `nil` where nothing is known.
    static func text(_ values: [Double?]) -> String {
        let most = values.compactMap(\.self).max() ?? 0
        return String(
            values.map { value -> Character in
                guard let value, value.isFinite else { return " " }
                return most > 0 ? blocks[min(blocks.count - 1, Int(value / most * Double(blocks.count)))] : blocks[0]
            })
    }
}
