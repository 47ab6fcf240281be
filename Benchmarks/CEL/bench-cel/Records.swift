import SluiceCEL

/// Rows of cells as a reader fills them: text in one block of memory, one cell per slot of a
/// program.
final class Records {
    static let count = Texts.count
    private let arena = TextArena()
    private let cells: UnsafeMutablePointer<Cell>
    private let width: Int

    init(for program: CellProgram) {
        width = program.slots.count
        cells = .allocate(capacity: Self.count * max(width, 1))
        for row in 0..<Self.count {
            for (column, slot) in program.slots.enumerated() {
                guard case .field(let name) = slot else { fatalError("fields only") }
                (cells + row * width + column).initialize(to: value(of: name, row))
            }
        }
    }

    deinit { cells.deallocate() }

    func row(_ index: Int) -> UnsafePointer<Cell> { UnsafePointer(cells + index * width) }

    private func value(of name: String, _ row: Int) -> Cell {
        switch name {
        case "status": .int([200, 304, 404, 500, 200, 503, 301][row * 31 % 7])
        case "sent": .int(Int64(row) * 37 % 100_000)
        case "duration_ms": .int(Int64(row) * 13 % 5_000)
        case "method": text(["GET", "POST", "HEAD", "GET", "PUT"][row * 17 % 5])
        case "path": text(Texts.paths[row])
        case "agent": text(Texts.agents[row])
        default: .absent
        }
    }

    private func text(_ text: String) -> Cell { self.text(Array(text.utf8)) }

    private func text(_ bytes: [UInt8]) -> Cell {
        bytes.withUnsafeBufferPointer { .text(.string, arena.copy($0), count: $0.count) }
    }
}
