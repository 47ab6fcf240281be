public import SluiceCEL

/// How JSON records are written anew from their own bytes: which members go, change or come; all others are copied as they stand.
///
/// Made once for a place in a pipeline. Cost for a record: a copy of each run of untouched bytes between two members that are named here.
///
/// Unsafe memory is read here: spans that a decoder found in the very record, and cells of its row.
public struct JSONRewrite: Sendable {
    public enum Fate: Sendable, Equatable {
        case keep
        case cut
        /// The value in `column` in the member's place, under its own key or another. Where the record has no such member it is added
        /// behind the others; where that cell is absent, the member keeps its own value.
        case replace(key: String, column: Int)
        case rename(to: String)
        /// Cut where the cell in `column` is there, else kept.
        case yield(to: Int)
    }

    /// A member of the record's own.
    public struct Member: Sendable, Equatable {
        /// The column of its span, and of its value as decoded.
        public var column: Int
        public var name: String
        public var fate: Fate

        public init(column: Int, name: String, fate: Fate) {
            self.column = column
            self.name = name
            self.fate = fate
        }
    }

    /// A member that comes behind the record's own, where the cell in `column` is there.
    public struct Addition: Sendable, Equatable {
        public var key: String
        public var column: Int
        /// Not written where the cell in this column is there.
        public var unless: Int?

        public init(key: String, column: Int, unless: Int? = nil) {
            self.key = key
            self.column = column
            self.unless = unless
        }
    }

    struct Step: Sendable {
        let column: Int
        let name: String
        let fate: Fate
        /// The key that is written, where that is not the member's own.
        let newKey: JSONKey?
        /// The key under which a value is added where the record has no such member.
        let addedKey: JSONKey
        /// The column of the value that takes the member's place.
        let value: Int?
    }

    struct Added: Sendable {
        let key: JSONKey
        let column: Int
        let unless: Int?
    }

    let steps: [Step]
    let added: [Added]
    /// Whether members that are not named are written.
    public let passesRest: Bool

    public init(members: [Member], passesRest: Bool = true, additions: [Addition] = []) {
        self.passesRest = passesRest
        added = additions.map { Added(key: JSONKey($0.key), column: $0.column, unless: $0.unless) }
        steps = members.map { member in
            var key = member.name
            var value: Int?
            switch member.fate {
            case .replace(let replacement, let column): (key, value) = (replacement, column)
            case .rename(let replacement): key = replacement
            case .keep, .cut, .yield: break
            }
            return Step(
                column: member.column, name: member.name, fate: member.fate, newKey: key == member.name ? nil : JSONKey(key),
                addedKey: JSONKey(key), value: value)
        }
    }

    /// Writes the record's object, without white space around it.
    ///
    /// - Parameters:
    ///   - record: what a decoder decoded with the outcome `decoded`, or `duplicated`. Of equal members that are named here, only the last
    ///     remains, as the value that stages saw; others stay as they are.
    ///   - spans: the row's, by column.
    ///   - cells: the row's, by column.
    public func write(
        _ record: UnsafeBufferPointer<UInt8>, _ outcome: RowTable.Outcome, _ spans: UnsafePointer<MemberSpan>, _ cells: UnsafePointer<Cell>,
        _ scratch: Scratch, to buffer: ByteBuffer
    ) {
        var writing = JSONRewriting(record, cells, scratch, buffer, passesRest: passesRest)
        if outcome == .duplicated {
            writing.write(duplicatedEdits(record), of: self, spans)
        } else {
            withUnsafeTemporaryAllocation(of: JSONRewriting.Edit.self, capacity: steps.count) { edits in
                writing.write(UnsafeBufferPointer(rebasing: edits[..<sortedEdits(spans, into: edits)]), of: self, spans)
            }
        }
    }

    /// Members that are there, by their place in the record. Insertion: they are few, and mostly in order.
    @inline(__always)
    private func sortedEdits(_ spans: UnsafePointer<MemberSpan>, into edits: UnsafeMutableBufferPointer<JSONRewriting.Edit>) -> Int {
        var count = 0
        for index in steps.indices {
            let span = spans[steps[index].column]
            guard span.isPresent else { continue }
            var place = count
            while place > 0, edits[place - 1].span.start > span.start {
                edits[place] = edits[place - 1]
                place -= 1
            }
            edits.initializeElement(at: place, to: JSONRewriting.Edit(span: span, step: index, isStale: false))
            count += 1
        }
        return count
    }

    private func duplicatedEdits(_ record: UnsafeBufferPointer<UInt8>) -> [JSONRewriting.Edit] {
        var edits: [JSONRewriting.Edit] = []
        var last: [Int: Int] = [:]
        let names = Dictionary(steps.enumerated().map { ($1.name, $0) }) { first, _ in first }
        for member in JSONMembers.all(of: record) {
            guard let step = names[member.name] else { continue }
            if let earlier = last.updateValue(edits.count, forKey: step) { edits[earlier].isStale = true }
            edits.append(JSONRewriting.Edit(span: member.span, step: step, isStale: false))
        }
        return edits
    }
}
