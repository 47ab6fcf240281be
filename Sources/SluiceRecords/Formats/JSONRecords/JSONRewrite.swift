package import SluiceCEL

/// How JSON records are written anew from their own bytes: which members go, change or come; all
/// others are copied as they stand.
///
/// Made once for a place in a pipeline. Cost for a record: a copy of each run of untouched bytes
/// between two members that are named here.
///
/// Unsafe memory is read here: spans that a decoder found in the very record, and cells of its row.
package struct JSONRewrite: Sendable {
    package enum Fate: Sendable, Equatable {
        case keep, cut
        /// The value in `column` in the member's place, under its own key or another. Where the
        /// record has no such member it is added after the others; where that cell is absent, the
        /// member keeps its own value.
        case replace(key: String, column: Int)
        case rename(to: String)
        /// Cut where the cell in `column` is there, else kept.
        case yield(to: Int)
    }

    /// A member of the record's own.
    package struct Member: Sendable, Equatable {
        /// The column of its span, and of its value as decoded.
        package var column: Int
        package var name: String
        package var fate: Fate

        package init(column: Int, name: String, fate: Fate) {
            self.column = column
            self.name = name
            self.fate = fate
        }
    }

    /// A member as the hot path sees it, without references.
    struct Step: BitwiseCopyable {
        enum Action: UInt8 {
            case keep, cut, replace, rename, yield
        }

        var action: Action
        /// Whether the key that is written is not the member's own.
        var hasNewKey: Bool
        var key: JSONKeys.Place
        /// Of the member.
        var column: Int
        /// Of the value that takes its place, or that it yields to.
        var other: Int

        /// Of a member that is not named, and that an equal one takes the place of.
        static let stale = Step(action: .cut, hasNewKey: false, key: JSONKeys.Place(start: 0, count: 0), column: 0, other: 0)
    }

    let steps: [Step]
    let keys: JSONKeys
    let additions: JSONFields
    /// Whether members that are not named are written.
    package let passesRest: Bool
    private let names: [String]

    /// - Parameter additions: members that come after the record's own.
    package init(members: [Member], passesRest: Bool = true, additions: [JSONFields.Field] = []) {
        self.passesRest = passesRest
        self.additions = JSONFields(additions)
        names = members.map(\.name)
        var keys = JSONKeys()
        steps = members.map { member in
            var (action, key, other) = (Step.Action.keep, member.name, 0)
            switch member.fate {
            case .keep: break
            case .cut: action = .cut
            case .replace(let replacement, let column): (action, key, other) = (.replace, replacement, column)
            case .rename(let replacement): (action, key) = (.rename, replacement)
            case .yield(let column): (action, other) = (.yield, column)
            }
            return Step(action: action, hasNewKey: !key.isSame(as: member.name), key: keys.add(key), column: member.column, other: other)
        }
        self.keys = keys
    }

    /// Writes the record's object, without white space around it.
    ///
    /// - Parameters:
    ///   - record: what a decoder decoded with the outcome `decoded`, or `duplicated`. Of equal
    ///     members only the last remains, as the value that stages saw.
    ///   - spans: the row's, by column.
    ///   - cells: the row's, by column.
    package func write(
        _ record: UnsafeBufferPointer<UInt8>, _ outcome: RowTable.Outcome, _ spans: UnsafePointer<MemberSpan>, _ cells: UnsafePointer<Cell>,
        _ scratch: Scratch, to buffer: ByteBuffer
    ) {
        keys.withText { keys in
            var writing = JSONRewriting(record, cells, scratch, buffer, keys, passesRest: passesRest)
            if outcome == .duplicated {
                duplicatedEdits(record).withUnsafeBufferPointer { writing.write($0, of: self, spans) }
            } else {
                withUnsafeTemporaryAllocation(of: JSONRewriting.Edit.self, capacity: steps.count) { edits in
                    writing.write(UnsafeBufferPointer(rebasing: edits[..<sortedEdits(spans, into: edits)]), of: self, spans)
                }
            }
        }
    }

    /// Members that are there, by their place in the record. Insertion: they are few, and mostly in
    /// order.
    @inline(__always)
    private func sortedEdits(_ spans: UnsafePointer<MemberSpan>, into edits: UnsafeMutableBufferPointer<JSONRewriting.Edit>) -> Int {
        var count = 0
        for step in steps {
            let span = spans[step.column]
            guard span.isPresent else { continue }
            var place = count
            while place > 0, edits[place - 1].span.start > span.start {
                edits[place] = edits[place - 1]
                place -= 1
            }
            edits.initializeElement(at: place, to: JSONRewriting.Edit(span: span, step: step, isStale: false))
            count += 1
        }
        return count
    }

    private func duplicatedEdits(_ record: UnsafeBufferPointer<UInt8>) -> [JSONRewriting.Edit] {
        var edits: [JSONRewriting.Edit] = []
        let places = Dictionary(names.enumerated().map { (Name($1), $0) }) { first, _ in first }
        let members = JSONMembers.all(of: record)
        let last = Dictionary(members.enumerated().map { (Name($1.name), $0) }) { $1 }
        for (index, member) in members.enumerated() {
            let name = Name(member.name)
            let isStale = last[name] != index
            guard let step = places[name].map({ steps[$0] }) ?? (isStale ? .stale : nil) else { continue }
            edits.append(JSONRewriting.Edit(span: member.span, step: step, isStale: isStale))
        }
        return edits
    }
}
