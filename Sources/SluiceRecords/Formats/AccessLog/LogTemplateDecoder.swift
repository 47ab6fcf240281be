import CBytes
import SluiceCEL

/// Decodes an access log by its server's format, compiled to steps: a variable and the literal text
/// that follows it.
///
/// The whole line is checked whatever columns are asked for: the text between the variables,
/// numbers, times, UTF-8, no NUL, nothing after the last variable.
///
/// Unsafe memory: reads up to 64 bytes after a record, which must be readable. Each field is
/// checked to end within the record before the next one is read.
struct LogTemplateDecoder: RecordDecoder {
    typealias Place = UnsafePointer<UInt8>

    /// A variable and the literal after it.
    struct Step: BitwiseCopyable {
        var kind: LogTemplate.Kind
        var scan: Scan
        /// The variable's column; -1 if it is not asked for.
        var column: Int
        /// The columns of `method`, `path` and `protocol` for a request, or of `zone` for a time.
        var parts: (Int, Int, Int)
        /// The first eight bytes of the literal, and a mask of the bytes in use.
        var literal: UInt64
        var mask: UInt64
        /// The length of the literal.
        var count: Int
        var first: UInt8
        /// Whether an occurrence of the literal counts only if the next variable, a number or a
        /// time, can begin after it.
        var isCheckedByNext: Bool
        var isRequestSplit: Bool
    }

    /// How the end of a text variable is found.
    enum Scan: UInt8 {
        /// At the first quote that is not escaped.
        case quote
        /// At the first occurrence of the literal.
        case literal
        /// At the literal that ends the line.
        case last
    }

    private let steps: [Step]
    private let names: [String]
    private let literals: [[UInt8]]
    private let opening: [UInt8]
    private let escapes: LogEscapes
    private let dashIsAbsent: Bool
    private let columnCount: Int

    /// - Parameter columns: names of the template's fields; columns with other names are left
    ///   absent.
    init(_ template: LogTemplate, columns: [String]) {
        var (steps, names, literals): ([Step], [String], [[UInt8]]) = ([], [], [])
        var opening: [UInt8] = []
        var taken: Swift.Set<Name> = []
        func column(_ field: String) -> Int {
            guard taken.insert(Name(field)).inserted else { return -1 }
            return columns.firstIndex { $0.isSame(as: field) } ?? -1
        }
        for (index, element) in template.elements.enumerated() {
            guard case .variable(let variable) = element else {
                if case .literal(let bytes) = element, index == 0 { opening = bytes }
                continue
            }
            var after: [UInt8] = []
            if index + 1 < template.elements.count, case .literal(let bytes) = template.elements[index + 1] { after = bytes }
            let next = index + 2 < template.elements.count ? template.elements[index + 2] : nil
            let before = literals.last ?? opening
            steps.append(Self.step(variable, before: before, after: after, next: next, escapes: template.escapes, column: column))
            names.append(variable.written)
            literals.append(after)
        }
        (self.steps, self.names, self.literals, self.opening) = (steps, names, literals, opening)
        (escapes, dashIsAbsent, columnCount) = (template.escapes, template.dashIsAbsent, columns.count)
    }

    private static func step(
        _ variable: LogTemplate.Variable, before: [UInt8], after: [UInt8], next: LogTemplate.Element?, escapes: LogEscapes, column: (String) -> Int
    ) -> Step {
        let quote = UInt8(ascii: "\"")
        let isQuoted = before.last == quote && after.first == quote && escapes != .none
        var isCheckedByNext = false
        if case .variable(let next)? = next, next.kind != .text, next.kind != .request, next.kind != .number { isCheckedByNext = true }
        let own = column(variable.field)
        var parts = (-1, -1, -1)
        switch variable.kind {
        case .request:
            let places = LogTemplate.Variable.requestParts.map { column($0.name) }
            parts = (places[0], places[1], places[2])
        case .time, .isoTime: parts.0 = column(AccessLogField.zone.name)
        default: break
        }
        let word = after.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Step(
            kind: variable.kind, scan: isQuoted ? .quote : next == nil ? .last : .literal, column: own, parts: parts, literal: word,
            mask: after.count >= 8 ? .max : (1 << UInt64(8 * after.count)) - 1, count: after.count, first: after.first ?? 0,
            isCheckedByNext: isCheckedByNext, isRequestSplit: parts.0 >= 0 || parts.1 >= 0 || parts.2 >= 0)
    }

    func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        var time = AccessLogTime()
        steps.withUnsafeBufferPointer { decode(text, row, table, $0, &time) }
    }

    func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        var time = AccessLogTime()
        steps.withUnsafeBufferPointer { steps in
            for (row, frame) in frames.enumerated() {
                decode(UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), row, table, steps, &time)
            }
        }
    }

    @inline(__always)
    private func decode(
        _ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable, _ steps: UnsafeBufferPointer<Step>, _ time: inout AccessLogTime
    ) {
        precondition(columnCount <= table.columns, "a table has a cell for each column of its decoder")
        guard let start = text.baseAddress else {
            table.outcomes[row] = .blank
            return
        }
        let end = start + LineText.count(of: text)
        do throws(LogTemplateFault) {
            if let invalid = UTF8Text.firstInvalidOrNUL(in: UnsafeBufferPointer(start: start, count: end - start)) {
                throw LogTemplateFault(start[invalid] == 0 ? .nul : .utf8, 0, at: start + invalid)
            }
            try line(start, end, steps, table.row(row), table.text, &time)
        } catch {
            fail(error, text, row, table)
        }
    }

    @inline(never)
    private func fail(_ fault: LogTemplateFault, _ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable) {
        for column in 0..<columnCount { table.row(row)[column] = .absent }
        if LineText.isBlank(text) {
            table.outcomes[row] = .blank
        } else {
            table.fail(row, "parse.\(Access.name)", fault.message(in: text, names: names, literals: literals, opening: opening))
        }
    }
}

// Steps.
extension LogTemplateDecoder {
    @inline(__always)
    private func line(
        _ start: Place, _ end: Place, _ steps: UnsafeBufferPointer<Step>, _ cells: UnsafeMutablePointer<Cell>, _ text: TextArena,
        _ time: inout AccessLogTime
    ) throws(LogTemplateFault) {
        var place = start
        if !opening.isEmpty {
            guard begins(opening, place, end) else { throw LogTemplateFault(.opening, 0, at: place) }
            place += opening.count
        }
        for index in steps.indices {
            let step = steps[index]
            let valueEnd: Place
            switch step.kind {
            case .text, .request, .number:
                let (close, isEscaped) = try close(of: index, steps, place, end, &time)
                valueEnd = close
                try put(step, index, place, close, isEscaped, cells, text)
            case .time:
                guard place + 26 <= end, let seconds = seconds(place, end, start, &time) else { throw LogTemplateFault(.value, index, at: place) }
                if step.column >= 0 { cells[step.column] = .timestamp(seconds: seconds, nanoseconds: 0) }
                if step.parts.0 >= 0 { cells[step.parts.0] = .text(.string, place + 21, count: 5) }
                valueEnd = place + 26
            default:
                valueEnd = try number(step, index, place, end, cells)
            }
            guard matches(step, index, valueEnd, end) else { throw LogTemplateFault(.literal, index, at: valueEnd) }
            place = valueEnd + step.count
        }
        guard place == end else { throw LogTemplateFault(.end, 0, at: place) }
    }

    @inline(__always)
    private func begins(_ bytes: [UInt8], _ place: Place, _ end: Place) -> Bool {
        end - place >= bytes.count && bytes.withUnsafeBufferPointer { $0.baseAddress.map { cbytes_equal(place, $0, bytes.count) != 0 } ?? true }
    }

    /// Whether the literal after a variable is here.
    @inline(__always)
    private func matches(_ step: Step, _ index: Int, _ place: Place, _ end: Place) -> Bool {
        guard step.count > 0 else { return place == end }
        guard end - place >= step.count, UInt64(littleEndian: cbytes_load64(place)) & step.mask == step.literal else { return false }
        return step.count <= 8 || begins(literals[index], place, end)
    }

    /// The end of a text variable, and whether it contains a backslash.
    @inline(__always)
    private func close(
        of index: Int, _ steps: UnsafeBufferPointer<Step>, _ start: Place, _ end: Place, _ time: inout AccessLogTime
    ) throws(LogTemplateFault) -> (Place, Bool) {
        let step = steps[index]
        switch step.scan {
        case .quote:
            let found = LogQuotes.closingQuote(start, end)
            guard found.close < end else { throw LogTemplateFault(.literal, index, at: end) }
            return found
        case .last:
            guard end - start >= step.count else { throw LogTemplateFault(.literal, index, at: end) }
            return (end - step.count, escapes != .none && contains(UInt8(ascii: "\\"), start, end - step.count))
        case .literal:
            var place = start
            while true {
                place = first(step.first, place, end)
                guard place < end else { throw LogTemplateFault(.literal, index, at: end) }
                if matches(step, index, place, end), !step.isCheckedByNext || canBegin(index + 1, steps, place + step.count, end, &time) {
                    return (place, escapes != .none && contains(UInt8(ascii: "\\"), start, place))
                }
                place += 1
            }
        }
    }

    /// Whether the next variable, a number or a time, and the literal after it are here.
    @inline(__always)
    private func canBegin(
        _ index: Int, _ steps: UnsafeBufferPointer<Step>, _ place: Place, _ end: Place, _ time: inout AccessLogTime
    ) -> Bool {
        let step = steps[index]
        if step.kind == .time { return place + 26 <= end && seconds(place, end, nil, &time) != nil && matches(step, index, place + 26, end) }
        return canBeNumber(step, index, place, end)
    }

    @inline(never)
    private func canBeNumber(_ step: Step, _ index: Int, _ start: Place, _ end: Place) -> Bool {
        var place = start
        if step.kind == .isoTime { return LogTimes.iso(place, end) != nil && matches(step, index, place + LogTimes.isoCount, end) }
        if step.kind == .paddedInt { while place < end, place.pointee == 0x20 { place += 1 } }
        if place < end, place.pointee == UInt8(ascii: "-") { return matches(step, index, place + 1, end) }
        while place < end, place.pointee &- UInt8(ascii: "0") <= 9 || place.pointee == UInt8(ascii: ".") { place += 1 }
        return matches(step, index, place, end)
    }

    /// - Parameter start: the start of the line; `nil` if the byte before `place` must not be used.
    @inline(__always)
    private func seconds(_ place: Place, _ end: Place, _ start: Place?, _ time: inout AccessLogTime) -> Int64? {
        if let start, place > start, place[-1] == UInt8(ascii: "["), place[26] == UInt8(ascii: "]"), place[27] == 0x20 {
            return time.seconds(place - 1)
        }
        return LogTimes.seconds(place, &time)
    }

    /// The first occurrence of the byte, or the end.
    @inline(__always)
    private func first(_ byte: UInt8, _ start: Place, _ end: Place) -> Place {
        var place = start
        while place < end {
            let found = cbytes_equals32(place, byte)
            if found != 0 { return min(place + found.trailingZeroBitCount, end) }
            place += 32
        }
        return end
    }

    @inline(__always)
    private func contains(_ byte: UInt8, _ start: Place, _ end: Place) -> Bool { first(byte, start, end) < end }
}

// Values.
extension LogTemplateDecoder {
    @inline(__always)
    private func put(
        _ step: Step, _ index: Int, _ start: Place, _ end: Place, _ isEscaped: Bool, _ cells: UnsafeMutablePointer<Cell>, _ text: TextArena
    ) throws(LogTemplateFault) {
        if dashIsAbsent, end - start == 1, start.pointee == UInt8(ascii: "-") { return }
        if step.kind == .number {
            guard step.column >= 0, end > start else { return }
            cells[step.column] = LogTimes.number(start, end) ?? value(start, end, isEscaped, text)
            return
        }
        if step.column >= 0 {
            // Apache writes an empty user as `""`.
            let isEmpty = step.scan != .quote && escapes == .server && end - start == 2 && start[0] == UInt8(ascii: "\"") && start[1] == start[0]
            cells[step.column] = isEmpty ? .text(.string, end, count: 0) : value(start, end, isEscaped, text)
        }
        if step.isRequestSplit { putRequest(step, start, end, isEscaped, cells, text) }
    }

    @inline(__always)
    private func value(_ start: Place, _ end: Place, _ isEscaped: Bool, _ text: TextArena) -> Cell {
        isEscaped ? escapes.cell(start, end, text) : .text(.string, start, count: end - start)
    }

    /// Splits a request of three words, the last of which begins with `HTTP/`.
    @inline(__always)
    private func putRequest(
        _ step: Step, _ start: Place, _ end: Place, _ isEscaped: Bool, _ cells: UnsafeMutablePointer<Cell>, _ text: TextArena
    ) {
        let one = first(0x20, start, end)
        let two = one < end ? first(0x20, one + 1, end) : end
        guard one > start, two > one + 1, end - two > 6, cbytes_load32(two + 1) == 0x5054_5448, two[5] == UInt8(ascii: "/"),
            first(0x20, two + 1, end) == end
        else { return }
        if step.parts.0 >= 0 { cells[step.parts.0] = value(start, one, isEscaped, text) }
        if step.parts.1 >= 0, two - one != 2 || one[1] != UInt8(ascii: "-") { cells[step.parts.1] = value(one + 1, two, isEscaped, text) }
        if step.parts.2 >= 0 { cells[step.parts.2] = value(two + 1, end, isEscaped, text) }
    }

    @inline(__always)
    private func number(
        _ step: Step, _ index: Int, _ start: Place, _ end: Place, _ cells: UnsafeMutablePointer<Cell>
    ) throws(LogTemplateFault) -> Place {
        var place = start
        if step.kind == .isoTime {
            guard let seconds = LogTimes.iso(place, end) else { throw LogTemplateFault(.value, index, at: place) }
            if step.column >= 0 { cells[step.column] = .timestamp(seconds: seconds, nanoseconds: 0) }
            if step.parts.0 >= 0 { cells[step.parts.0] = .text(.string, place + 19, count: 6) }
            return place + LogTimes.isoCount
        }
        if step.kind == .paddedInt { while place < end, place.pointee == 0x20 { place += 1 } }
        // No value is written as `-`, or as nothing by some servers.
        if place < end, place.pointee == UInt8(ascii: "-") { return place + 1 }
        let stop = min(JSONScan.digits(place, end), end)
        guard stop > place else {
            if matches(step, index, place, end) { return place }
            throw LogTemplateFault(.value, index, at: place)
        }
        guard step.kind == .int || step.kind == .paddedInt else { return try otherNumber(step, index, place, stop, end, cells) }
        guard stop - place <= 19, let value = Int64(exactly: JSONNumber.integer(place, stop - place)) else {
            throw LogTemplateFault(.value, index, at: place)
        }
        if step.column >= 0 { cells[step.column] = .int(value) }
        return stop
    }

    private func otherNumber(
        _ step: Step, _ index: Int, _ start: Place, _ digits: Place, _ end: Place, _ cells: UnsafeMutablePointer<Cell>
    ) throws(LogTemplateFault) -> Place {
        var stop = digits
        if step.kind == .double || step.kind == .unixSeconds, stop < end, stop.pointee == UInt8(ascii: ".") {
            stop = min(JSONScan.digits(stop + 1, end), end)
        }
        guard let cell = LogTimes.cell(step.kind, start, digits, stop) else { throw LogTemplateFault(.value, index, at: start) }
        if step.column >= 0 { cells[step.column] = cell }
        return stop
    }
}
