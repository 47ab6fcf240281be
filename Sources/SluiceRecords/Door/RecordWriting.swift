import SluiceCEL

/// Writes the records that a closure returns as JSON, one after the other, as the bytes of a batch.
///
/// Members that the closure did not change are copied from the record's own text: numbers keep
/// their digits, strings their escapes.
struct RecordWriting {
    let bytes = ByteBuffer(capacity: Batch.targetBytes)
    private(set) var frames: [Frame] = []
    private let scratch: Scratch
    /// Values of types that JSON does not have, by frame.
    private var typed: [(frame: Int, name: String, value: Value)] = []
    /// Far more than the batch had, and well within the 4 GiB that frames can address.
    private static let mostBytes = 1 << 30

    init(_ scratch: Scratch) {
        self.scratch = scratch
    }

    mutating func add(_ record: Record) throws(RecordFailure) {
        let start = bytes.count
        write(record)
        guard bytes.count <= Self.mostBytes else {
            bytes.count = start
            throw RecordFailure(code: "closure", message: "the records that the closure made from one batch exceed 1 GiB")
        }
        for field in record.fields where field.value.isBeyondJSON { typed.append((frames.count, field.name, field.value)) }
        frames.append(Frame(start: UInt32(start), count: UInt32(bytes.count - start), lineDelta: 0))
    }

    private func write(_ record: Record) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        func comma() {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
        }
        var written: [Bool] = Array(repeating: false, count: record.fields.count)
        if let text = record.text, let start = text.filled.baseAddress {
            for member in JSONMembers.all(of: text.filled) {
                guard let index = record.index(of: member.name) else { continue }
                let field = record.fields[index]
                if field.isChanged {
                    guard !written[index] else { continue }
                    comma()
                    write(field)
                } else {
                    comma()
                    let (first, end) = (Int(member.span.start), Int(member.span.end))
                    bytes.append(UnsafeBufferPointer(start: start + first, count: end - first))
                }
                written[index] = true
            }
        }
        for (index, field) in record.fields.enumerated() where !written[index] {
            comma()
            write(field)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private func write(_ field: Record.Field) {
        JSONText.write(field.name, to: bytes)
        bytes.append(UInt8(ascii: ":"))
        JSONText.write(scratch.cell(of: field.value), scratch, to: bytes)
    }

    /// Sets the values whose types JSON does not have in the decoded rows, so that a time stays a
    /// time.
    func restoreTypes(in batch: RecordBatch) {
        let columns = batch.stretch.fields.shape.baseColumns
        for (frame, name, value) in typed {
            if let column = columns[Name(name)] { batch.table.row(frame)[column] = batch.scratch.cell(of: value) }
        }
    }
}

extension Value {
    fileprivate var isBeyondJSON: Bool {
        switch self {
        case .timestamp, .duration, .bytes: true
        default: false
        }
    }
}
