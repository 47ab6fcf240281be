/// Reads, writes and takes apart times without a `String`.
///
/// Writes only to memory from the arena, within what was requested.
extension GenericCall {
    /// `getFullYear()` and the like of a timestamp, in UTC; nil for other functions.
    func timePart(_ moment: Operand) -> CellCode? {
        guard let part = TimePart(rawValue: name) else { return nil }
        let code = moment.code
        return CellCode { cells, scratch in
            let cell = code(cells, scratch)
            guard cell.kind == .timestamp else { return cell.kind == .error ? .error : self(cell, scratch) }
            return .int(Int64(part.value(cell)))
        }
    }

    /// `timestamp(text)` for text that ends in `Z`.
    func timestamp(_ text: Operand) -> CellCode {
        let code = text.code
        return CellCode { cells, scratch in
            let cell = code(cells, scratch)
            if cell.kind == .timestamp { return cell }
            if cell.kind == .string, let moment = timestampInUTC(cell.textBytes) { return moment }
            return cell.kind == .error ? .error : self(cell, scratch)
        }
    }

    /// `format_time(t, format)` with a constant format of years to seconds; nil for other formats.
    func formatTime(_ moment: Operand, _ format: Constant) -> CellCode? {
        guard case .string(let text) = format.value, let formatCell = format.cell, let pieces = TimePiece.pieces(of: text) else { return nil }
        let code = moment.code
        let count = pieces.reduce(0) { $0 + $1.width }
        return CellCode { cells, scratch in
            let cell = code(cells, scratch)
            guard cell.kind == .timestamp, isWritable(cell) else {
                return cell.kind == .error ? .error : self(cell, formatCell, scratch)
            }
            let start = scratch.text.allocate(count)
            let time = SplitTime(cell)
            var end = start
            for piece in pieces { piece.write(time, &end) }
            return .text(.string, start, count: count)
        }
    }
}

private enum TimePart: String {
    case getFullYear, getMonth, getDate, getDayOfMonth, getDayOfWeek, getDayOfYear, getHours, getMinutes, getSeconds, getMilliseconds

    func value(_ cell: Cell) -> Int {
        let (day, second) = cell.intValue.floorDivided(by: 86_400)
        switch self {
        case .getFullYear: return CivilDate(dayNumber: Int(day)).year
        case .getMonth: return CivilDate(dayNumber: Int(day)).month - 1
        case .getDate: return CivilDate(dayNumber: Int(day)).day
        case .getDayOfMonth: return CivilDate(dayNumber: Int(day)).day - 1
        case .getDayOfWeek: return CivilDate(dayNumber: Int(day)).dayOfWeek
        case .getDayOfYear: return CivilDate(dayNumber: Int(day)).dayOfYear
        case .getHours: return Int(second) / 3_600
        case .getMinutes: return Int(second) / 60 % 60
        case .getSeconds: return Int(second) % 60
        case .getMilliseconds: return Int(cell.count) / 1_000_000
        }
    }
}

private struct SplitTime {
    let date: CivilDate
    let second: Int

    init(_ cell: Cell) {
        let (day, second) = cell.intValue.floorDivided(by: 86_400)
        date = CivilDate(dayNumber: Int(day))
        self.second = Int(second)
    }
}

/// A part of a time format with a fixed width.
private enum TimePiece {
    case literal(UInt8)
    case year, month, day, hour, minute, second

    static func pieces(of format: String) -> [TimePiece]? {
        var pieces: [TimePiece] = []
        var rest = format.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                pieces.append(.literal(byte))
                continue
            }
            switch rest.popFirst().map(Unicode.Scalar.init) {
            case "Y": pieces.append(.year)
            case "m": pieces.append(.month)
            case "d": pieces.append(.day)
            case "H": pieces.append(.hour)
            case "M": pieces.append(.minute)
            case "S": pieces.append(.second)
            case "F": pieces += [.year, .literal(UInt8(ascii: "-")), .month, .literal(UInt8(ascii: "-")), .day]
            case "T": pieces += [.hour, .literal(UInt8(ascii: ":")), .minute, .literal(UInt8(ascii: ":")), .second]
            default: return nil
            }
        }
        return pieces
    }

    static let rfc3339 = pieces(of: "%FT%T") ?? []

    var width: Int {
        switch self {
        case .literal: 1
        case .year: 4
        case .month, .day, .hour, .minute, .second: 2
        }
    }

    @inline(__always)
    func write(_ time: SplitTime, _ end: inout UnsafeMutablePointer<UInt8>) {
        switch self {
        case .literal(let byte):
            end.pointee = byte
            end += 1
        case .year:
            writePair(time.date.year / 100, &end)
            writePair(time.date.year % 100, &end)
        case .month: writePair(time.date.month, &end)
        case .day: writePair(time.date.day, &end)
        case .hour: writePair(time.second / 3_600, &end)
        case .minute: writePair(time.second / 60 % 60, &end)
        case .second: writePair(time.second % 60, &end)
        }
    }
}

@inline(__always)
private func writePair(_ number: Int, _ end: inout UnsafeMutablePointer<UInt8>) {
    end[0] = 0x30 + UInt8(truncatingIfNeeded: number / 10)
    end[1] = 0x30 + UInt8(truncatingIfNeeded: number % 10)
    end += 2
}

/// Whether it is within the years 1 to 9999: outside of them a cell is not a timestamp, and the
/// generic functions report that.
@inline(__always)
private func isWritable(_ cell: Cell) -> Bool {
    Timestamp.secondsRange.contains(cell.intValue) && cell.count < 1_000_000_000
}

/// RFC 3339 in UTC, with as many fractional digits of the second as needed; nil for a cell that is
/// not a timestamp.
func timestampText(_ cell: Cell, _ scratch: Scratch) -> Cell? {
    guard isWritable(cell) else { return nil }
    let room = 30
    let start = scratch.text.allocate(room)
    let time = SplitTime(cell)
    var end = start
    for piece in TimePiece.rfc3339 { piece.write(time, &end) }
    if cell.count != 0 { writeFraction(Int(cell.count), &end) }
    end.pointee = UInt8(ascii: "Z")
    end += 1
    scratch.text.giveBack(room - (end - start))
    return .text(.string, start, count: end - start)
}

private func writeFraction(_ nanoseconds: Int, _ end: inout UnsafeMutablePointer<UInt8>) {
    end.pointee = UInt8(ascii: ".")
    end += 1
    var rest = nanoseconds
    var unit = 100_000_000
    while rest != 0 {
        end.pointee = 0x30 + UInt8(truncatingIfNeeded: rest / unit)
        end += 1
        rest %= unit
        unit /= 10
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ`, with or without a fraction; nil for anything else, which the generic
/// function may be able to read.
package func timestampInUTC(_ text: UnsafeBufferPointer<UInt8>) -> Cell? {
    guard text.count >= 20, text.count <= 30, text[text.count - 1] == UInt8(ascii: "Z"), text[4] == UInt8(ascii: "-"),
        text[7] == UInt8(ascii: "-"), text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
        let century = pair(text, 0), let year = pair(text, 2), let month = pair(text, 5), let day = pair(text, 8),
        let hour = pair(text, 11), let minute = pair(text, 14), let second = pair(text, 17),
        let date = CivilDate(year: century * 100 + year, month: month, day: day), date.year > 0, hour < 24, minute < 60, second < 60
    else { return nil }
    var nanoseconds: UInt32 = 0
    if text.count > 20 {
        guard text.count > 21, text[19] == UInt8(ascii: ".") else { return nil }
        var unit: UInt32 = 100_000_000
        for index in 20..<text.count - 1 {
            let digit = text[index] &- 0x30
            guard digit < 10 else { return nil }
            nanoseconds += UInt32(digit) * unit
            unit /= 10
        }
    }
    let seconds = date.dayNumber * 86_400 + hour * 3_600 + minute * 60 + second
    return .timestamp(seconds: Int64(seconds), nanoseconds: nanoseconds)
}

@inline(__always)
private func pair(_ text: UnsafeBufferPointer<UInt8>, _ offset: Int) -> Int? {
    let (tens, ones) = (text[offset] &- 0x30, text[offset + 1] &- 0x30)
    return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
}
