import CBytes
import SluiceCEL

/// The hot loop over the fields of a record. Fills the cells.
///
/// Unsafe memory: reads stop at the record's end, except for loads of 64 bytes, which the padding
/// after each record covers. Writes go to the columns of ``fields``, which the table has, and to
/// memory of the arena within its allocated size.
struct FieldWalk {
    typealias Place = UnsafePointer<UInt8>

    /// A field of each record.
    struct Field: BitwiseCopyable {
        /// -1 if it is not asked for.
        var column: Int
        var type: FieldType
        /// The number of fields, from this one on, before the next that is asked for.
        var unasked = 0
    }

    /// The number of fields to pass before the next that is asked for; all that are left if none
    /// is.
    @inline(__always)
    static func unasked(_ fields: UnsafeBufferPointer<Field>, from index: Int) -> Int {
        index < fields.count ? fields[index].unasked : .max
    }

    let quoting: Quoting
    let nulls: Nulls
    let fields: UnsafeBufferPointer<Field>
    let text: TextArena
    private let separator: UInt8
    /// The separator if there are no quotes.
    private let quote: UInt8
    private let hasQuotes: Bool
    private let isDoubled: Bool

    init(_ quoting: Quoting, nulls: Nulls, fields: UnsafeBufferPointer<Field>, text: TextArena) {
        self.quoting = quoting
        self.nulls = nulls
        self.fields = fields
        self.text = text
        separator = quoting.separator
        quote = quoting.quote ?? quoting.separator
        hasQuotes = quoting.quote != nil
        isDoubled = quoting.escape == quote
    }

    /// What was found so far in a record.
    struct Course {
        /// The number of fields.
        var count = 0
        /// Nonzero if there are bytes beyond ASCII.
        var beyond: UInt64 = 0
        /// The first field that is not of its type.
        var misread: (field: Int, start: Place, end: Place)?

        /// Passes fields that nobody asks for.
        ///
        /// - Parameter separators: those of the block that are not passed yet, as bits.
        @inline(__always)
        mutating func pass(_ separators: inout UInt64, of block: Place, _ fieldStart: inout Place, _ fields: UnsafeBufferPointer<Field>) {
            var unasked = FieldWalk.unasked(fields, from: count)
            guard unasked > 0 else { return }
            if unasked >= 64 {
                // Only the number of fields is needed.
                count += separators.nonzeroBitCount
                fieldStart = block + (64 - separators.leadingZeroBitCount)
                separators = 0
                return
            }
            var last: UInt64 = 0
            while unasked > 0, separators != 0 {
                last = separators
                separators &= separators &- 1
                unasked -= 1
                count += 1
            }
            fieldStart = block + last.trailingZeroBitCount + 1
        }
    }

    @inline(__always)
    func record(_ start: Place, _ end: Place, _ cells: UnsafeMutablePointer<Cell>) throws(FieldFault) -> Course {
        var course = Course()
        var fieldStart = start
        var block = start
        scan: while block < end {
            let found = cbytes_fields64(block, separator, quote)
            let within: UInt64 = end - block >= 64 ? ~0 : (1 << UInt64(end - block)) - 1
            course.beyond |= found.beyond & within
            let quotes = hasQuotes ? found.quotes & within : 0
            var stops = (found.separators & within) | quotes
            while stops != 0 {
                if quotes == 0 {
                    course.pass(&stops, of: block, &fieldStart, fields)
                    if stops == 0 { break }
                }
                let bit = stops.trailingZeroBitCount
                let place = block + bit
                stops &= stops &- 1
                if place.pointee == separator {
                    takePlain(fieldStart, place, cells, &course)
                    fieldStart = place + 1
                } else if isFieldStart(place, fieldStart) {
                    let after = quotes & (~0 << UInt64(bit + 1))
                    let close = block + after.trailingZeroBitCount
                    if after != 0, isDoubled, close + 1 < end, close[1] == separator {
                        course.take(place + 1, close, cells, fields)
                        fieldStart = close + 2
                        stops &= ~0 << UInt64(fieldStart - block)
                        guard fieldStart - block <= 64 else {
                            block = fieldStart
                            continue scan
                        }
                    } else {
                        let next = try quoted(place, end, cells, &course)
                        guard next < end else { return course }
                        fieldStart = next + 1
                        block = fieldStart
                        continue scan
                    }
                }
            }
            block += 64
        }
        takePlain(fieldStart, end, cells, &course)
        return course
    }

    @inline(__always)
    private func isFieldStart(_ place: Place, _ fieldStart: Place) -> Bool {
        if place == fieldStart { return true }
        guard quoting.trimsBlanks else { return false }
        return UnsafeBufferPointer(start: fieldStart, count: place - fieldStart).allSatisfy { quoting.isBlank($0) }
    }

    /// Takes an unquoted field.
    @inline(__always)
    private func takePlain(_ start: Place, _ end: Place, _ cells: UnsafeMutablePointer<Cell>, _ course: inout Course) {
        guard course.count < fields.count, fields[course.count].column >= 0 else {
            course.count += 1
            return
        }
        if quoting.trimsBlanks { return takeTrimmed(start, end, cells, &course) }
        if nulls.contains(start, end) {
            course.count += 1
        } else {
            course.take(start, end, cells, fields)
        }
    }

    private func takeTrimmed(_ start: Place, _ end: Place, _ cells: UnsafeMutablePointer<Cell>, _ course: inout Course) {
        var (start, end) = (start, end)
        while start < end, quoting.isBlank(start.pointee) { start += 1 }
        while start < end, quoting.isBlank(end[-1]) { end -= 1 }
        if nulls.contains(start, end) {
            course.count += 1
        } else {
            course.take(start, end, cells, fields)
        }
    }

    /// Takes a quoted field of any kind.
    /// - Returns: the separator after it, or the end.
    @inline(never)
    private func quoted(
        _ open: Place, _ end: Place, _ cells: UnsafeMutablePointer<Cell>, _ course: inout Course
    ) throws(FieldFault) -> Place {
        // This path does not track bytes beyond ASCII, so assume some.
        course.beyond = ~0
        var place = open + 1
        var escapes = 0
        while true {
            place = stop(place, end)
            guard place < end else { throw FieldFault(.openQuote, at: open) }
            if place + 1 < end, isEscape(place) {
                escapes += 1
                place += 2
            } else if place.pointee == quote {
                break
            } else {
                place += 1
            }
        }
        var after = place + 1
        if quoting.trimsBlanks { while after < end, quoting.isBlank(after.pointee) { after += 1 } }
        guard after == end || after.pointee == separator else { throw FieldFault(.afterQuote, at: after) }
        let isWanted = course.count < fields.count && fields[course.count].column >= 0
        if escapes == 0 || !isWanted {
            course.take(open + 1, place, cells, fields)
        } else {
            let count = place - open - 1 - escapes
            let memory = text.allocate(count)
            unescape(open + 1, place, into: memory)
            course.take(memory, memory + count, cells, fields)
        }
        return after
    }

    /// The next quote or escape.
    private func stop(_ start: Place, _ end: Place) -> Place {
        var place = start
        while place < end {
            var found = cbytes_equals32(place, quote)
            if !isDoubled { found |= cbytes_equals32(place, quoting.escape) }
            if found != 0 { return min(place + found.trailingZeroBitCount, end) }
            place += 32
        }
        return end
    }

    /// Whether the quote or escape at `place` escapes the byte after it.
    private func isEscape(_ place: Place) -> Bool {
        if place.pointee == quote { return place[1] == quote }
        return place[1] == quote || place[1] == quoting.escape
    }

    private func unescape(_ start: Place, _ end: Place, into target: UnsafeMutablePointer<UInt8>) {
        var (place, output) = (start, target)
        while place < end {
            let next = stop(place, end)
            let isEscape = next + 1 < end && isEscape(next)
            let run = next - place + (isEscape || next == end ? 0 : 1)
            output.update(from: place, count: run)
            output += run
            place += run
            guard isEscape else { continue }
            output.pointee = place[1]
            output += 1
            place += 2
        }
    }
}

/// The texts that, unquoted, stand for no value.
struct Nulls: Sendable {
    private let hasEmpty: Bool
    private let others: [[UInt8]]
    /// The lengths of the others, those of 63 and more as one, and the last six bits of their first
    /// bytes.
    private let lengths: UInt64
    private let heads: UInt64
    /// The text that is written for no value.
    let written: [UInt8]

    init(_ texts: [String]) { self.init(bytes: texts.map { Array($0.utf8) }) }

    init(bytes texts: [[UInt8]]) {
        hasEmpty = texts.contains([])
        others = texts.filter { !$0.isEmpty }
        lengths = others.reduce(0) { $0 | 1 << UInt64(min($1.count, 63)) }
        heads = others.reduce(0) { $0 | 1 << UInt64($1[0] & 63) }
        written = texts.first ?? []
    }

    @inline(__always)
    func contains(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        if start == end { return hasEmpty }
        // Most values differ from all of them in their length or their first byte.
        guard lengths >> UInt64(min(end - start, 63)) & heads >> UInt64(start.pointee & 63) & 1 == 1 else { return false }
        return containsAmongOthers(UnsafeBufferPointer(start: start, count: end - start))
    }

    @inline(never)
    private func containsAmongOthers(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        others.contains { $0.count == text.count && text.elementsEqual($0) }
    }
}

/// An error in the syntax of a record.
struct FieldFault: Error {
    enum Kind: UInt8 {
        case openQuote, afterQuote
    }

    var kind: Kind
    var address: UInt

    init(_ kind: Kind, at place: UnsafePointer<UInt8>) {
        self.kind = kind
        address = UInt(bitPattern: place)
    }

    /// The message. Bytes are counted from 0.
    func message(in text: UnsafeBufferPointer<UInt8>, _ quoting: Quoting) -> String {
        let offset = Int(clamping: address &- UInt(bitPattern: text.baseAddress))
        switch kind {
        case .openQuote: return "the quote at byte \(offset) is not closed"
        case .afterQuote:
            let found = offset < text.count ? JSONFault.name(ofByte: text[offset]) : "nothing"
            return "expected \(JSONFault.name(ofByte: quoting.separator)) after the closing quote at byte \(offset), found \(found)"
        }
    }
}
