import CBytes
import SluiceCEL

/// Decodes access logs of Apache and nginx: `combined`, or `common` without referer and agent,
/// optionally with a virtual host before the address.
///
/// A field that is `-` is absent. Quoted text and user names are kept as logged, except that `\"`
/// and `\\` stand for a quote and a backslash. Other escapes (`\xe4`, which Apache writes for bytes
/// that it does not trust) stay as written, so that no value has bytes that the server never
/// logged, unless they are to be decoded (``LogEscapes``). The whole line is checked whatever
/// columns are asked for: the words before the time (``AccessLogWords``), the shape, time, numbers,
/// UTF-8, no NUL, nothing after the last field. A line that differs fails with `parse.combined` or
/// `parse.common`; a line of white space is a blank record. One deviation is accepted: an agent
/// without its closing quote, as left by servers that truncate long lines. It extends to the end of
/// the line, and has no escaped quote, which might be its end.
///
/// Unsafe memory: reads up to 64 bytes after a record, which must be readable. Each field is
/// checked to end within the record before the next one is read.
package struct AccessLogDecoder: RecordDecoder {
    package enum Layout: String, Sendable {
        case common, combined
    }

    package let layout: Layout
    private let columns: InlineArray<14, Int>
    private let columnCount: Int
    private let wantsRequest: Bool
    private let failureCode: String
    private let hasHost: Bool
    private let undoesEscapes: Bool

    /// - Parameters:
    ///   - columns: names of ``AccessLogField``; columns with other names are left absent.
    ///   - hasHost: whether lines begin with a virtual host.
    ///   - undoesEscapes: whether `\xe4` is decoded to the byte that it stands for.
    package init(_ layout: Layout, columns: [String], hasHost: Bool = false, undoesEscapes: Bool = false) {
        self.layout = layout
        self.hasHost = hasHost
        self.undoesEscapes = undoesEscapes
        let fields = AccessLogField.allCases
        let places = InlineArray<14, Int> { index in columns.firstIndex(of: fields[index].name) ?? -1 }
        self.columns = places
        columnCount = columns.count
        let parts: [AccessLogField] = [.method, .path, .protocol, .request]
        wantsRequest = parts.contains { columns.contains($0.name) }
        failureCode = "parse.\(layout.rawValue)"
    }

    package func decode(_ text: UnsafeBufferPointer<UInt8>, row: Int, into table: RowTable) {
        var time = AccessLogTime()
        decode(text, row, table, &time)
    }

    package func decode(_ frames: [Frame], of base: UnsafePointer<UInt8>, into table: RowTable) {
        var time = AccessLogTime()
        for (row, frame) in frames.enumerated() {
            decode(UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), row, table, &time)
        }
    }

    @inline(__always)
    private func decode(_ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable, _ time: inout AccessLogTime) {
        precondition(columnCount <= table.columns, "a table has a cell for each column of its decoder")
        guard let start = text.baseAddress else {
            table.outcomes[row] = .blank
            return
        }
        let end = start + LineText.count(of: text)
        do throws(AccessLogFault) {
            if let invalid = UTF8Text.firstInvalidOrNUL(in: UnsafeBufferPointer(start: start, count: end - start)) {
                throw AccessLogFault(start[invalid] == 0 ? .nul : .utf8, at: start + invalid)
            }
            try line(start, end, Row(cells: table.row(row), text: table.text), &time)
        } catch {
            fail(error, text, row, table)
        }
    }

    @inline(never)
    private func fail(_ fault: AccessLogFault, _ text: UnsafeBufferPointer<UInt8>, _ row: Int, _ table: RowTable) {
        for column in 0..<columnCount { table.row(row)[column] = .absent }
        if LineText.isBlank(text) {
            table.outcomes[row] = .blank
        } else {
            table.fail(row, failureCode, fault.message(in: text))
        }
    }
}

extension AccessLogDecoder {
    private typealias Place = UnsafePointer<UInt8>

    private struct Row {
        let cells: UnsafeMutablePointer<Cell>
        let text: TextArena
    }

    @inline(__always)
    private func line(_ start: Place, _ end: Place, _ row: Row, _ time: inout AccessLogTime) throws(AccessLogFault) {
        let words = try AccessLogWords(hasHost ? host(start, end, row) : start, end, &time)
        put(.ip, words.ip.start, words.ip.end, row)
        put(.ident, words.ident.start, words.ident.end, row)
        put(.user, words.user.start, words.user.end, row, words.userIsEscaped)
        put(.time, .timestamp(seconds: words.seconds, nanoseconds: 0), row)

        let request = words.request
        put(.zone, request - 7, request - 2, row)
        let (requestEnd, isEscaped) = try quoted(request + 1, end)
        if wantsRequest { putRequest(request + 1, requestEnd, isEscaped, row) }
        guard requestEnd + 1 < end, requestEnd[1] == 0x20 else { throw AccessLogFault(.spaceAfterRequest, at: requestEnd + 1) }

        let statusEnd = try status(requestEnd + 2, end, row)
        let bytesEnd = try bytes(statusEnd + 1, end, row)
        if layout == .common {
            guard bytesEnd == end else { throw AccessLogFault(.end, at: bytesEnd) }
            return
        }
        guard bytesEnd + 1 < end, bytesEnd[0] == 0x20, bytesEnd[1] == UInt8(ascii: "\"") else { throw AccessLogFault(.referer, at: bytesEnd) }
        let refererEnd = try putQuoted(.referer, bytesEnd + 2, end, row)
        guard refererEnd + 1 < end, refererEnd[1] == 0x20 else { throw AccessLogFault(.spaceAfterReferer, at: refererEnd + 1) }
        guard refererEnd + 2 < end, refererEnd[2] == UInt8(ascii: "\"") else { throw AccessLogFault(.agent, at: refererEnd + 2) }
        var (agentEnd, agentIsEscaped) = LogQuotes.closingQuote(refererEnd + 3, end)
        guard agentEnd + 1 >= end else { throw AccessLogFault(.end, at: agentEnd + 1) }
        // Not an escaped quote of a truncated agent, but an agent that ends in a backslash, as
        // written by servers that do not escape.
        if agentEnd == end, end - refererEnd > 4, end[-1] == UInt8(ascii: "\""), end[-2] == UInt8(ascii: "\\") {
            agentEnd -= 1
        } else if agentEnd == end, agentIsEscaped {
            try refuseEscapedQuote(refererEnd + 3, end)
        }
        put(.agent, refererEnd + 3, agentEnd, row, agentIsEscaped)
    }

    /// Reads the virtual host, which is one word.
    ///
    /// - Returns: the start of the address.
    @inline(never)
    private func host(_ start: Place, _ end: Place, _ row: Row) throws(AccessLogFault) -> Place {
        let close = space(start, end)
        guard close > start, close < end else { throw AccessLogFault(.host, at: close) }
        put(.vhost, start, close, row)
        return close + 1
    }

    @inline(__always)
    private func quoted(_ start: Place, _ end: Place) throws(AccessLogFault) -> (close: Place, isEscaped: Bool) {
        let found = LogQuotes.closingQuote(start, end)
        guard found.close < end else { throw AccessLogFault(.quote, at: end) }
        return found
    }

    /// Refuses an escaped quote in an agent without a closing one: if the server does not escape,
    /// it is the closing one of an agent that ends in a backslash, and something follows it.
    @inline(never)
    private func refuseEscapedQuote(_ start: Place, _ end: Place) throws(AccessLogFault) {
        var place = start
        while place + 1 < end {
            let isEscape = place[0] == UInt8(ascii: "\\")
            if isEscape, place[1] == UInt8(ascii: "\"") { throw AccessLogFault(.quote, at: end) }
            place += isEscape ? 2 : 1
        }
    }

    @inline(__always)
    private func status(_ start: Place, _ end: Place, _ row: Row) throws(AccessLogFault) -> Place {
        if start.pointee == UInt8(ascii: "-"), start[1] == 0x20, start + 1 < end { return start + 1 }
        let hundreds = start[0] &- UInt8(ascii: "0")
        let tens = start[1] &- UInt8(ascii: "0")
        let ones = start[2] &- UInt8(ascii: "0")
        guard start + 3 < end, start[3] == 0x20, hundreds <= 9, tens <= 9, ones <= 9 else { throw AccessLogFault(.status, at: start) }
        put(.status, .int(Int64(hundreds) * 100 + Int64(tens) * 10 + Int64(ones)), row)
        return start + 3
    }

    @inline(__always)
    private func bytes(_ start: Place, _ end: Place, _ row: Row) throws(AccessLogFault) -> Place {
        if start < end, start.pointee == UInt8(ascii: "-") { return start + 1 }
        // The digits may continue in memory after the end of the record.
        let stop = min(JSONScan.digits(start, end), end)
        guard stop > start, stop - start <= 19, let count = Int64(exactly: JSONNumber.integer(start, stop - start)) else {
            throw AccessLogFault(.bytes, at: start)
        }
        put(.bytes, .int(count), row)
        return stop
    }

    @inline(__always)
    private func putQuoted(_ field: AccessLogField, _ start: Place, _ end: Place, _ row: Row) throws(AccessLogFault) -> Place {
        let (close, isEscaped) = try quoted(start, end)
        put(field, start, close, row, isEscaped)
        return close
    }

    @inline(__always)
    private func put(_ field: AccessLogField, _ start: Place, _ end: Place, _ row: Row, _ isEscaped: Bool = false) {
        let column = columns[field.rawValue]
        guard column >= 0, end - start != 1 || start.pointee != UInt8(ascii: "-") else { return }
        row.cells[column] = isEscaped ? unescaped(start, end, row.text) : .text(.string, start, count: end - start)
    }

    @inline(__always)
    private func put(_ field: AccessLogField, _ cell: Cell, _ row: Row) {
        let column = columns[field.rawValue]
        if column >= 0 { row.cells[column] = cell }
    }

    private func putRequest(_ start: Place, _ end: Place, _ isEscaped: Bool, _ row: Row) {
        let first = space(start, end)
        let second = first < end ? space(first + 1, end) : end
        guard first > start, second > first + 1, isProtocol(second + 1, end), space(second + 1, end) == end else {
            put(.request, start, end, row, isEscaped)
            return
        }
        put(.method, start, first, row, isEscaped)
        put(.path, first + 1, second, row, isEscaped)
        put(.protocol, second + 1, end, row, isEscaped)
    }

    /// Whether the word is `HTTP/` and something. Its last word is another if the target has a
    /// blank in it, or if a server writes `null`.
    @inline(__always)
    private func isProtocol(_ start: Place, _ end: Place) -> Bool {
        end - start > 5 && cbytes_load32(start) == 0x5054_5448 && start[4] == UInt8(ascii: "/")
    }

    /// The first space, or the end.
    @inline(__always)
    private func space(_ start: Place, _ end: Place) -> Place {
        var place = start
        while place < end {
            let spaces = cbytes_equals32(place, 0x20)
            if spaces != 0 { return min(place + spaces.trailingZeroBitCount, end) }
            place += 32
        }
        return end
    }

    @inline(never)
    private func unescaped(_ start: Place, _ end: Place, _ text: TextArena) -> Cell {
        if undoesEscapes { return LogEscapes.server.cell(start, end, text) }
        let memory = text.allocate(end - start)
        var count = 0
        var place = start
        while place < end {
            let isEscape =
                place.pointee == UInt8(ascii: "\\") && place + 1 < end
                && (place[1] == UInt8(ascii: "\"") || place[1] == UInt8(ascii: "\\"))
            if isEscape { place += 1 }
            memory[count] = place.pointee
            count += 1
            place += 1
        }
        text.giveBack(end - start - count)
        return .text(.string, memory, count: count)
    }
}
