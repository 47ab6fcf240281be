import CBytes
import SluiceCEL

/// The hot loop over the members of a record. Fills the cells.
///
/// Unsafe memory: reads follow the rules of ``JSONScan``: the position is compared with the end
/// before each member, and the record is valid only if its closing brace is before the end. Writes
/// go to `cells` and `spans` below the number of columns, which is all that ``ColumnTable``
/// returns.
struct JSONWalk {
    typealias Place = JSONScan.Place

    let table: ColumnTable
    let shape: JSONShape
    let text: TextArena
    let wantsSpans: Bool

    @inline(__always)
    func record(
        _ start: Place, _ end: Place, _ cells: UnsafeMutablePointer<Cell>, _ spans: UnsafeMutablePointer<MemberSpan>
    ) throws(JSONFault) -> RowTable.Outcome {
        var place = start
        var member = 0
        var outcome = RowTable.Outcome.decoded
        // The number of leading members whose names are known to differ, while they match the
        // shape.
        var distinct = shape.distinctNames
        while true {
            guard place < end else { return try atEnd(end, member) }
            var column: Int
            let key: Place
            let entry = shape.entries + member
            if shape.matches(place, member) {
                key = place + Int(entry.pointee.key)
                column = Int(entry.pointee.column)
                place += Int(entry.pointee.count)
                if member >= distinct {
                    shape.check(member)
                    distinct = shape.distinctNames
                }
                if place.pointee <= 0x20 || place >= end {
                    place = JSONScan.space(place, end)
                    guard place < end else { throw JSONFault(.value, at: end) }
                }
            } else {
                if place.pointee == UInt8(ascii: "}"), place + 1 == end, member > 0 { return outcome }
                guard let next = try nextMember(place, end, member) else { return member == 0 ? emptyOutcome(place, end) : outcome }
                key = next.key
                column = next.column
                place = next.value
                distinct = shape.distinctNames
            }
            let value = place
            if column < 0 {
                place = try JSONScan.value(value, end, level: 1)
            } else {
                if cells[column].kind != .absent {
                    outcome = .duplicated
                } else if wantsSpans {
                    spans[column] = MemberSpan(start: UInt32(truncatingIfNeeded: key - start), value: UInt32(truncatingIfNeeded: value - start), end: 0)
                }
                place = try JSONValue.read(value, end, text, into: &cells[column])
                if wantsSpans, spans[column].end == 0 { spans[column].end = UInt32(truncatingIfNeeded: place - start) }
            }
            member += member < JSONShape.capacity - 1 ? 1 : 0
        }
    }

    private func atEnd(_ end: Place, _ member: Int) throws(JSONFault) -> RowTable.Outcome {
        guard member == 0 else { throw JSONFault(.commaOrBrace, at: end) }
        return .blank
    }

    /// The outcome if `nextMember` found no first member: white space or an empty object.
    private func emptyOutcome(_ start: Place, _ end: Place) -> RowTable.Outcome {
        JSONScan.space(start, end) == end ? .blank : .decoded
    }

    /// Parses up to the next member's value, and remembers the bytes for the next record.
    /// - Returns: `nil` at the valid end of the record.
    @inline(never)
    private func nextMember(_ start: Place, _ end: Place, _ member: Int) throws(JSONFault) -> (key: Place, value: Place, column: Int)? {
        var place = JSONScan.space(start, end)
        var expectation = JSONFault.Expectation.key
        if member == 0 {
            if place == end { return nil }
            guard place.pointee == UInt8(ascii: "{") else { throw JSONFault(.object, at: place) }
            place = JSONScan.space(place + 1, end)
            expectation = .keyOrClose
        }
        guard place < end else { throw JSONFault(member == 0 ? .keyOrClose : .commaOrBrace, at: end) }
        if place.pointee == UInt8(ascii: "}") {
            place = JSONScan.space(place + 1, end)
            guard place == end else { throw JSONFault(.end, at: place) }
            return nil
        }
        if member > 0 {
            guard place.pointee == UInt8(ascii: ",") else { throw JSONFault(.commaOrBrace, at: place) }
            place = JSONScan.space(place + 1, end)
        }
        guard place < end, place.pointee == UInt8(ascii: "\"") else { throw JSONFault(expectation, at: place) }
        let (close, isEscaped) = try JSONScan.string(place + 1, end)
        let value = try JSONScan.colon(close + 1, end)
        let (column, hash) = isEscaped ? escapedKey(place + 1, close) : table.find(place + 1, close - place - 1)
        shape.remember(start, key: place, value: value, column: column, hash: hash, at: member)
        return (place, value, column)
    }

    private func escapedKey(_ start: Place, _ close: Place) -> (column: Int, hash: UInt64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: close - start + 8) { buffer in
            guard let key = buffer.baseAddress else { return (-1, 0) }
            buffer.initialize(repeating: 0)
            return table.find(key, JSONUnescape.copy(start, close, to: key))
        }
    }

    /// The outcome of a record that may have a duplicate name.
    @inline(never)
    func outcomeOfRepetition(_ start: Place, _ end: Place) -> RowTable.Outcome {
        shape.forgetRepetition()
        var names: Set<Name> = []
        let members = JSONMembers.all(of: UnsafeBufferPointer(start: start, count: end - start))
        return members.allSatisfy { names.insert(Name($0.name)).inserted } ? .decoded : .duplicated
    }
}
