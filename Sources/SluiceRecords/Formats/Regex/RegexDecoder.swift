package import SluiceCEL

/// Decodes records with a regular expression, with a field for each named group. Takes time linear
/// in the record.
///
/// The pattern may match anywhere; `^` and `$` anchor it to the ends of the record, which has no
/// line end. A group that does not participate in the match is absent. A record that does not match
/// fails with `parse.regex`, or is blank if it is white space. A group's text that is not valid
/// UTF-8 becomes a value of type `bytes`.
package struct RegexDecoder: RecordDecoder {
    package static let failureCode = "parse.regex"

    private let pattern: Pattern
    /// The group of each column, counted from 1; 0 for none.
    private let groups: [Int]
    private let captures: Int

    /// - Parameter columns: names of groups; columns with other names are left absent.
    package init(_ pattern: Pattern, columns: [String]) {
        self.pattern = pattern
        groups = columns.map { name in (pattern.groupNames.firstIndex { $0?.isSame(as: name) == true } ?? -1) + 1 }
        captures = 1 + (groups.max() ?? 0)
    }

    /// The distinct names of a pattern's groups, in order.
    package static func fields(of pattern: Pattern) -> [String] {
        var names: [String] = []
        for case let name? in pattern.groupNames where !names.containsSame(as: name) { names.append(name) }
        return names
    }

    package func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        withCaptures { decode(text, row, table, $0) }
    }

    package func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        withCaptures { captures in
            for (row, frame) in frames.enumerated() {
                decode(UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), row, table, captures)
            }
        }
    }

    private func withCaptures(_ body: (UnsafeMutableBufferPointer<Pattern.Capture>) -> Void) {
        withUnsafeTemporaryAllocation(of: Pattern.Capture.self, capacity: captures) { buffer in
            buffer.initialize(repeating: .unmatched)
            body(buffer)
        }
    }

    private func decode(
        _ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable, _ captures: UnsafeMutableBufferPointer<Pattern.Capture>
    ) {
        precondition(groups.count <= table.columns, "a table has a cell for each column of its decoder")
        let line = LineText.withoutEnd(text)
        guard find(line, captures) else {
            if LineText.isBlank(line) {
                table.outcomes[row] = .blank
            } else {
                table.fail(row, Self.failureCode, "the pattern does not match")
            }
            return
        }
        let cells = table.row(row)
        for (column, group) in groups.enumerated() where group > 0 && captures[group].isMatched {
            cells[column] = LinesDecoder.cell(UnsafeBufferPointer(rebasing: line[captures[group].range]))
        }
    }

    /// Asks for captures only if a column needs one: it is cheaper to tell whether a pattern
    /// matches than where.
    private func find(_ line: UnsafeBufferPointer<UInt8>, _ captures: UnsafeMutableBufferPointer<Pattern.Capture>) -> Bool {
        captures.count == 1 ? pattern.matches(line) : pattern.find(in: line, into: captures)
    }
}
