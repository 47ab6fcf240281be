import SluiceCEL

/// One cell for each group, including its text.
///
/// Unsafe memory lives here: the text of a cell is in `bytes` at `start`, within its `room`. Not
/// for concurrent use.
final class StoredCells {
    private struct Slot {
        var cell = Cell.absent
        var start = 0
        var room: UInt32 = 0
    }

    @exclusivity(unchecked) private var slots: [Slot] = []
    private let text = ByteBuffer(capacity: 256)

    func grow(to groups: Int) { slots.grow(to: groups, Slot()) }

    var count: Int { slots.count }
    var bytes: Int { slots.capacity * MemoryLayout<Slot>.stride + text.capacity }

    /// The stored cell; `absent` if there is none. Its text is valid until the next cell is stored.
    subscript(group: Int) -> Cell {
        @inline(__always) get {
            let slot = slots[group]
            guard slot.cell.isText else { return slot.cell }
            return .text(slot.cell.kind, UnsafePointer(text.start + slot.start), count: Int(slot.cell.count))
        }
    }

    /// - Parameter cell: must not be boxed: see ``WrittenKey/plain(_:_:)``.
    func store(_ cell: Cell, in group: Int) {
        if cell.isText { keep(cell.textBytes, in: group) }
        slots[group].cell = cell
    }

    /// Copies the text. Its room is doubled, so that a group whose text keeps growing wastes no
    /// more than it uses.
    private func keep(_ bytes: UnsafeBufferPointer<UInt8>, in group: Int) {
        guard let source = bytes.baseAddress else { return }
        if bytes.count > slots[group].room {
            let room = max(bytes.count, 2 * Int(slots[group].room))
            text.reserve(room)
            slots[group].start = text.count
            slots[group].room = UInt32(clamping: room)
            text.count += room
        }
        (text.start + slots[group].start).update(from: source, count: bytes.count)
    }

    func write(_ group: Int, to writer: inout StateWriter) {
        let buffer = ByteBuffer(capacity: 64)
        if self[group].kind != .absent { WrittenKey.append(self[group], to: buffer) }
        buffer.withFilled { writer.write($0) }
    }

    func read(_ group: Int, from reader: inout StateReader, _ accepted: CellKinds) throws(CheckpointError) {
        let written = try reader.text()
        guard !written.isEmpty else { return }
        guard let cell = WrittenKey.cells(1, in: written)?.first, cell.kind != .absent, accepted.contains(cell.kind) else {
            throw CheckpointError("invalid value")
        }
        store(cell, in: group)
    }
}

extension Cell {
    /// Whether the cell points to text.
    @inline(__always)
    var isText: Bool {
        switch kind {
        case .string, .bytes, .decimal, .json: true
        default: false
        }
    }

    /// The same cell, with its text in the scratch's arena.
    func copied(to scratch: Scratch) -> Cell { isText ? scratch.text(kind, copying: textBytes) : self }
}
