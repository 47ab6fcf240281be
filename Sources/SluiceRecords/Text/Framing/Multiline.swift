package import SluiceCEL

/// How lines are joined to records.
package struct Multiline: Sendable, Hashable {
    /// The lines that the pattern matches.
    package enum Lines: String, Sendable, CaseIterable {
        /// Each begins a record.
        case starts
        /// Each continues the record of the line before it; all others begin one.
        case continues
    }

    package let lines: Lines
    package let pattern: Pattern

    package init(_ lines: Lines, _ pattern: Pattern) {
        self.lines = lines
        self.pattern = pattern
    }

    /// - Parameter line: without its line feed.
    func begins(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        pattern.matches(LineText.withoutEnd(line)) == (lines == .starts)
    }

    package static func == (left: Multiline, right: Multiline) -> Bool {
        left.lines == right.lines && left.pattern.text == right.pattern.text
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(lines)
        hasher.combine(pattern.text)
    }
}
