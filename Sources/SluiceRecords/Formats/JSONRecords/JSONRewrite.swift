package import SluiceCEL

/// Rewrites JSON records from their own bytes: some members are removed, changed or added; all
/// others are copied unchanged.
///
/// Created once for a place in a pipeline. Cost per record: one copy for each run of untouched
/// bytes between the members named here.
///
/// Unsafe memory: reads spans that a decoder found in the same record, and cells of its row.
package final class JSONRewrite: Sendable {
    package enum Fate: Sendable, Equatable {
        case keep, cut
        /// Writes the value in `column` in the member's place, under the same or another key. If
        /// the record has no such member, it is added after the others; if that cell is absent, the
        /// member keeps its own value.
        case replace(key: String, column: Int)
        case rename(to: String)
        /// Cut if the cell in `column` has a value, else kept.
        case yield(to: Int)
    }

    /// A member in the record's own bytes.
    package struct Member: Sendable, Equatable {
        /// The column of its span and of its decoded value.
        package var column: Int
        package var name: String
        package var fate: Fate

        package init(column: Int, name: String, fate: Fate) {
            self.column = column
            self.name = name
            self.fate = fate
        }
    }

    /// A member for the hot path, without references.
    struct Step: BitwiseCopyable {
        enum Action: UInt8 {
            case keep, cut, replace, rename, yield
        }

        var action: Action
        /// Whether it is written with a different key.
        var hasNewKey: Bool
        var key: JSONKeys.Place
        /// The column of the member.
        var column: Int
        /// The column of the value that replaces it, or that it yields to.
        var other: Int

        /// An unnamed member that is overridden by a later duplicate.
        static let stale = Step(action: .cut, hasNewKey: false, key: JSONKeys.Place(start: 0, count: 0), column: 0, other: 0)
    }

    let steps: [Step]
    let keys: JSONKeys
    let additions: JSONFields
    /// Whether members that are not named here are written.
    package let passesRest: Bool
    private let names: [String]

    /// - Parameter additions: members to write after the record's own.
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

    /// Writes the record's object, without surrounding white space.
    ///
    /// - Parameters:
    ///   - record: a record that a decoder has decoded with the outcome `decoded` or `duplicated`.
    ///     Of duplicate members, only the last is written, since that is the value that stages saw.
    ///   - spans: the spans of the row, by column.
    ///   - cells: the cells of the row, by column.
    package func write(
        _ record: UnsafeBufferPointer<UInt8>, _ outcome: RowTable.Outcome, _ spans: UnsafePointer<MemberSpan>, _ cells: UnsafePointer<Cell>,
        _ scratch: Scratch, to buffer: ByteBuffer
    ) {
        keys.withText { keys in
            var writing = JSONRewriting(record, cells, keys, passesRest: passesRest)
            buffer.reserve(record.count + 256)
            if outcome == .duplicated {
                duplicatedEdits(record).withUnsafeBufferPointer { writing.write($0, of: self, spans, scratch, to: buffer) }
            } else {
                withUnsafeTemporaryAllocation(of: JSONRewriting.Edit.self, capacity: steps.count) { edits in
                    writing.write(
                        UnsafeBufferPointer(rebasing: edits[..<sortedEdits(spans, into: edits)]), of: self, spans, scratch, to: buffer)
                }
            }
        }
    }

    /// Sorts the present members by their position. Insertion sort, since they are few and mostly
    /// in order.
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
