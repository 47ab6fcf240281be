import SluiceCEL

/// Converts JSON values to cells and to values of expressions.
///
/// Unsafe memory: reads by the rules of ``JSONScan``.
enum JSONValue {
    /// Fills the cell from the value that begins here. Text without escapes is not copied; other
    /// text is unescaped into the arena.
    /// - Returns: the end of the value.
    @inline(__always)
    static func read(
        _ start: JSONScan.Place, _ end: JSONScan.Place, _ arena: TextArena, into cell: inout Cell
    ) throws(JSONFault) -> JSONScan.Place {
        switch start.pointee {
        case UInt8(ascii: "\""):
            let (close, isEscaped) = try JSONScan.string(start + 1, end)
            cell = isEscaped ? unescaped(start + 1, close, arena) : .text(.string, start + 1, count: close - start - 1)
            return close + 1
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            let number = try JSONScan.number(start, end)
            cell = JSONNumber.cell(number)
            return number.end
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let close = try JSONScan.nested(start, end, level: 1)
            cell = .text(.json, start, count: close - start)
            return close
        default:
            let close = try JSONScan.literal(start)
            cell = start.pointee == UInt8(ascii: "n") ? .null : .bool(start.pointee == UInt8(ascii: "t"))
            return close
        }
    }

    @inline(never)
    private static func unescaped(_ start: JSONScan.Place, _ close: JSONScan.Place, _ arena: TextArena) -> Cell {
        let memory = arena.allocate(close - start)
        let count = JSONUnescape.copy(start, close, to: memory)
        arena.giveBack(close - start - count)
        return .text(.string, memory, count: count)
    }

    /// Calls `body` with the text of a string, unescaped.
    /// - Parameter close: the closing quote.
    static func withText<Result>(
        _ start: JSONScan.Place, _ close: JSONScan.Place, _ isEscaped: Bool, _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        withPaddedText(start, close, isEscaped) { body(UnsafeBufferPointer(start: $0, count: $1)) }
    }

    /// Calls `body` with the start of a string's text, unescaped, and its length. 8 bytes after the
    /// text are readable.
    static func withPaddedText<Result>(
        _ start: JSONScan.Place, _ close: JSONScan.Place, _ isEscaped: Bool, _ body: (JSONScan.Place, Int) -> Result
    ) -> Result {
        guard isEscaped else { return body(start, close - start) }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: close - start + 8) { memory in
            memory.initialize(repeating: 0)
            guard let target = memory.baseAddress else { return body(start, 0) }
            return body(target, JSONUnescape.copy(start, close, to: target))
        }
    }

    /// - Parameter close: the closing quote.
    static func string(_ start: JSONScan.Place, _ close: JSONScan.Place, _ isEscaped: Bool) -> String {
        guard isEscaped else { return String(decoding: UnsafeBufferPointer(start: start, count: close - start), as: UTF8.self) }
        return String(unsafeUninitializedCapacity: close - start) { buffer in
            buffer.baseAddress.map { JSONUnescape.copy(start, close, to: $0) } ?? 0
        }
    }

    static func number(_ number: NumberText) -> Value {
        let cell = JSONNumber.cell(number)
        switch cell.kind {
        case .int: return .int(cell.intValue)
        case .uint: return .uint(cell.payload)
        case .double: return .double(cell.doubleValue)
        default: return .decimal(String(decoding: cell.textBytes, as: UTF8.self))
        }
    }
}
