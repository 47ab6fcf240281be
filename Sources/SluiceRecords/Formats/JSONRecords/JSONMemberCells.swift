import SluiceCEL

/// Finds the members of JSON objects by name, for writers of other formats.
struct JSONMemberCells: Sendable {
    private let names: ColumnTable

    init(_ names: [String]) {
        self.names = ColumnTable(names)
    }

    /// Fills the cell of each member that has a name, numbers as `decimal` with their own text.
    ///
    /// - Parameters:
    ///   - object: valid JSON, followed by readable padding.
    ///   - other: called with the name of each other member whose value is not null.
    func read(
        _ object: UnsafeBufferPointer<UInt8>, _ arena: TextArena, into cells: UnsafeMutableBufferPointer<Cell>, other: (() -> String) -> Void
    ) -> JSONFault? {
        do throws(JSONFault) {
            try JSONMembers.forEach(in: object) { (key, isEscaped, value, end) throws(JSONFault) in
                let close = try JSONScan.string(key + 1, end).close
                let column = JSONValue.withPaddedText(key + 1, close, isEscaped) { names.column($0, $1) }
                if column >= 0 {
                    cells[column] = try cell(value, end, arena)
                } else if value.pointee != UInt8(ascii: "n") {
                    other { JSONValue.string(key + 1, close, isEscaped) }
                }
            }
            return nil
        } catch {
            return error
        }
    }

    private func cell(_ value: JSONScan.Place, _ end: JSONScan.Place, _ arena: TextArena) throws(JSONFault) -> Cell {
        switch value.pointee {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            return .text(.decimal, value, count: end - value)
        default:
            var cell = Cell.absent
            _ = try JSONValue.read(value, end, arena, into: &cell)
            return cell
        }
    }
}
