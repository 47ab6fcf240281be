import SluiceCEL

/// How a log of Zeek writes values. A class, so that handing it on counts no references to arrays.
///
/// Unsafe memory: writes go to memory of the arena within its allocated size.
final class ZeekText: FieldTaking, Sendable {
    private typealias Place = FieldWalk.Place

    let separator: UInt8
    private let setSeparator: UInt8
    /// What is written for an empty text or list.
    private let empty: Nulls
    /// What is written for an element without a value.
    private let unset: Nulls

    init(_ directives: LogDirectives) {
        separator = directives.separator.first ?? 0x09
        setSeparator = directives.setSeparator.first ?? UInt8(ascii: ",")
        empty = Nulls(bytes: [directives.emptyField])
        unset = Nulls(bytes: [directives.unsetField])
    }

    func take(
        _ start: FieldWalk.Place, _ end: FieldWalk.Place, _ isEscaped: Bool, _ cells: UnsafeMutablePointer<Cell>,
        _ fields: UnsafeBufferPointer<FieldWalk.Field>, _ text: TextArena, _ course: inout FieldWalk.Course
    ) {
        let field = fields[course.count]
        if field.type.isList { return takeList(start, end, of: field, cells, text, &course) }
        if field.type == .string, empty.contains(start, end) { return course.take(start, start, cells, fields) }
        guard isEscaped else { return course.take(start, end, cells, fields) }
        let memory = text.allocate(end - start)
        let count = ZeekEscapes.undo(start, end, into: memory)
        // Escaped bytes are not among those that were checked for ASCII.
        course.beyond = ~0
        course.take(memory, memory + count, cells, fields)
    }

    private func takeList(
        _ start: FieldWalk.Place, _ end: FieldWalk.Place, of field: FieldWalk.Field, _ cells: UnsafeMutablePointer<Cell>, _ text: TextArena,
        _ course: inout FieldWalk.Course
    ) {
        defer { course.count += 1 }
        let json = ByteBuffer(capacity: end - start + 16)
        json.append(UInt8(ascii: "["))
        var place = start
        while !empty.contains(start, end) {
            let next = UnsafeBufferPointer(start: place, count: end - place).firstIndex(of: setSeparator).map { place + $0 }
            if place != start { json.append(UInt8(ascii: ",")) }
            guard write(place, next ?? end, of: field.type, text, to: json) else {
                if course.misread == nil { course.misread = (course.count, start, end) }
                return
            }
            guard let next else { break }
            place = next + 1
        }
        json.append(UInt8(ascii: "]"))
        cells[field.column] = json.withFilled { .text(.json, text.copy($0), count: $0.count) }
    }

    /// Writes an element as JSON.
    /// - Returns: whether it is of the list's type.
    private func write(_ start: Place, _ end: Place, of type: FieldType, _ text: TextArena, to json: ByteBuffer) -> Bool {
        if unset.contains(start, end) {
            json.append("null")
            return true
        }
        switch type {
        case .numbers where isNumber(start, end): json.append(UnsafeBufferPointer(start: start, count: end - start))
        case .numbers:
            guard let number = FieldType.double.cell(start, end) else { return false }
            JSONText.write(number.doubleValue, to: json)
        case .epochs:
            guard let time = FieldType.epoch.cell(start, end) else { return false }
            JSONText.writeTimestamp(seconds: time.intValue, nanoseconds: time.count, to: json)
        case .letters:
            guard let letter = FieldType.letter.cell(start, end) else { return false }
            json.append(letter.boolValue ? "true" : "false")
        default: writeText(start, end, text, to: json)
        }
        return true
    }

    private func writeText(_ start: Place, _ end: Place, _ text: TextArena, to json: ByteBuffer) {
        let memory = text.allocate(end - start)
        let count = empty.contains(start, end) ? 0 : ZeekEscapes.undo(start, end, into: memory)
        let undone = UnsafeBufferPointer(start: UnsafePointer(memory), count: count)
        if UTF8Text.isValid(undone) { JSONText.write(undone, to: json) } else { JSONText.writeBase64(undone, to: json) }
    }

    /// Whether the element is a number of JSON, which keeps its digits.
    private func isNumber(_ start: Place, _ end: Place) -> Bool {
        guard start < end else { return false }
        do throws(JSONFault) {
            return try JSONScan.number(start, end).end == end
        } catch {
            return false
        }
    }
}
