/// Conversions between numbers and text, if they are exact and simple; the generic function does
/// the rest and reports errors.
extension GenericCall {
    /// `string`, `int` and `double` of one argument; nil for other functions.
    func conversion(_ argument: Operand) -> CellCode? {
        let code = argument.code
        switch name {
        case "string":
            return CellCode { cells, scratch in
                let cell = code(cells, scratch)
                switch cell.kind {
                case .string: return cell
                case .decimal: return Cell(kind: .string, payload: cell.payload, count: cell.count)
                case .int: return decimalText(cell.intValue.magnitude, isNegative: cell.intValue < 0, scratch)
                case .uint: return decimalText(cell.payload, isNegative: false, scratch)
                case .timestamp: return timestampText(cell, scratch) ?? self(cell, scratch)
                case .bool: return cell.boolValue ? ConversionText.yes : ConversionText.no
                default: return self(cell, scratch)
                }
            }
        case "int":
            return CellCode { cells, scratch in
                let cell = code(cells, scratch)
                switch cell.kind {
                case .int: return cell
                case .string: return wholeNumber(cell.textBytes).map(Cell.int) ?? self(cell, scratch)
                default: return self(cell, scratch)
                }
            }
        case "double":
            return CellCode { cells, scratch in
                let cell = code(cells, scratch)
                switch cell.kind {
                case .double: return cell
                case .int: return .double(Double(cell.intValue))
                default: return self(cell, scratch)
                }
            }
        default: return nil
        }
    }
}

private enum ConversionText {
    static let pool = ConstantPool()
    static let yes = pool.text(.string, Array("true".utf8))
    static let no = pool.text(.string, Array("false".utf8))
}

/// The decimal digits, in the arena.
private func decimalText(_ magnitude: UInt64, isNegative: Bool, _ scratch: Scratch) -> Cell {
    let room = 20
    let memory = scratch.text.allocate(room)
    var at = room
    var rest = magnitude
    repeat {
        at -= 1
        memory[at] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
    } while rest != 0
    if isNegative {
        at -= 1
        memory[at] = UInt8(ascii: "-")
    }
    return .text(.string, memory + at, count: room - at)
}

/// Up to 18 digits with an optional minus sign; nil for anything else.
private func wholeNumber(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    let isNegative = text.first == UInt8(ascii: "-")
    let digits = isNegative ? 1 : 0
    guard text.count > digits, text.count - digits <= 18 else { return nil }
    var value: Int64 = 0
    for index in digits..<text.count {
        let digit = text[index] &- 0x30
        guard digit < 10 else { return nil }
        value = value &* 10 &+ Int64(digit)
    }
    return isNegative ? -value : value
}
