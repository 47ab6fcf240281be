/// What is known of the borders between the members of an input: whether they are borders between
/// records, too. Some programs cut the text anywhere (BGZF, `split`), others at ends of lines, and
/// only the file itself tells.
struct MemberBorders: Codable, Sendable, Equatable {
    /// Whether one was inside a record.
    private(set) var cutRecords = false
    /// Whether one was between two records. The end of the text is none: it always is the end of a
    /// record.
    private(set) var separateRecords = false
    /// The position in the text of the last gap.
    private var begun: UInt64 = 0
    private var hasGap = false
    /// The position of a border that is the end of a record, and that no text follows yet.
    private var last: UInt64?

    /// Notes that a member ends inside a record.
    mutating func cut() { cutRecords = true }

    /// Notes that a member begins.
    ///
    /// - Parameters:
    ///   - text: the position in the text.
    ///   - isInside: whether it is inside a record.
    mutating func pass(at text: UInt64, isInside: Bool) {
        if let last, text > last { separateRecords = true }
        if isInside {
            cutRecords = true
        } else if text > begun {
            last = text
        }
    }

    /// Notes that text is missing.
    ///
    /// - Parameters:
    ///   - isInside: whether the text before it, which ends with its member, ends inside a record;
    ///     `nil` if the member is not complete.
    /// - Returns: whether what is before is the beginning of the input, or text.
    mutating func passGap(at text: UInt64, isInside: Bool?) -> Bool {
        let followsText = text > begun || !hasGap
        // A border with lost text after it is one between two records.
        if last != nil { separateRecords = true }
        if let isInside {
            if isInside { cutRecords = true } else if text > begun { separateRecords = true }
        }
        (begun, hasGap, last) = (text, true, nil)
        return followsText
    }
}
