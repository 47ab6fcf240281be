import SluiceCEL

/// The fields of a record whose type its JSON text does not express, such as times. Used where a
/// record becomes text and is decoded again.
struct TypedFields: Sendable {
    private let fields: [(from: Int, to: Int)]

    /// - Parameter next: the segment in which the text is decoded.
    init(from shape: Shape, to next: BoundSegment?) {
        let columns = next?.stretch.fields.shape.baseColumns ?? [:]
        fields = columns.compactMap { name, to in shape.column(of: name.text).map { ($0, to) } }.sorted { $0.to < $1.to }
    }

    /// Calls `body` with each value of the row whose type its text does not express, and its new
    /// column.
    func forEach(_ row: Int, of batch: RecordBatch, _ body: (Cell, Int) -> Void) {
        let cells = batch.table.row(row)
        for field in fields where cells[field.from].losesType { body(cells[field.from], field.to) }
    }
}

extension Cell {
    /// Whether its JSON text is read as a value of another type.
    var losesType: Bool {
        switch kind {
        case .timestamp, .duration, .bytes, .uint, .boxed: true
        case .double: !doubleValue.isFinite
        default: false
        }
    }
}

/// Records as JSON text, with the values that the text does not express.
package struct RecordTexts {
    let bytes = ByteBuffer(capacity: Batch.targetBytes)
    var frames: [Frame] = []
    /// By frame and column. The text of these cells is in `scratch`.
    var typed: [(frame: Int, column: Int, cell: Cell)] = []
    let scratch: Scratch

    mutating func append(_ json: UnsafeBufferPointer<UInt8>) {
        frames.append(Frame(start: UInt32(bytes.count), count: UInt32(json.count), lineDelta: 0))
        bytes.append(json)
    }
}

/// A record as it is spilled: the number of typed values, the column and ``WrittenKey`` of each,
/// then the JSON text. Numbers are four bytes, little endian.
enum SortedRecord {
    typealias Text = UnsafeBufferPointer<UInt8>

    static func write(_ row: Int, of batch: RecordBatch, _ fields: RecordFields, _ typed: TypedFields, to buffer: ByteBuffer) {
        let start = buffer.count
        append(0, to: buffer)
        var count: UInt32 = 0
        typed.forEach(row, of: batch) { cell, column in
            count += 1
            append(UInt32(column), to: buffer)
            let length = buffer.count
            append(0, to: buffer)
            WrittenKey.append(cell, to: buffer, batch.scratch)
            store(UInt32(buffer.count - length - 4), at: length, in: buffer)
        }
        store(count, at: start, in: buffer)
        fields.write(row, of: batch, to: buffer)
    }

    static func read(_ text: Text, into texts: inout RecordTexts) {
        var place = 4
        for _ in 0..<number(text, at: 0) {
            let column = number(text, at: place)
            let count = number(text, at: place + 4)
            let written = Text(rebasing: text[(place + 8)..<(place + 8 + count)])
            if let cell = WrittenKey.cells(1, in: written)?.first { texts.typed.append((texts.frames.count, column, cell.copied(to: texts.scratch))) }
            place += 8 + count
        }
        texts.append(Text(rebasing: text[place...]))
    }

    /// Whether the bytes are valid: typed values and one JSON object.
    static func isValid(_ text: Text) -> Bool {
        guard text.count >= 4 else { return false }
        var place = 4
        for _ in 0..<number(text, at: 0) {
            guard text.count - place >= 8 else { return false }
            let count = number(text, at: place + 4)
            guard count <= text.count - place - 8, WrittenKey.cells(1, in: Text(rebasing: text[(place + 8)..<(place + 8 + count)])) != nil else {
                return false
            }
            place += 8 + count
        }
        let json = Text(rebasing: text[place...])
        guard json.first == UInt8(ascii: "{"), UTF8Text.isValid(json), let start = json.baseAddress else { return false }
        do throws(JSONFault) {
            return try JSONScan.value(start, start + json.count, level: 1) == start + json.count
        } catch {
            return false
        }
    }

    private static func append(_ number: UInt32, to buffer: ByteBuffer) {
        buffer.reserve(4)
        buffer.count += 4
        store(number, at: buffer.count - 4, in: buffer)
    }

    private static func store(_ number: UInt32, at place: Int, in buffer: ByteBuffer) {
        UnsafeMutableRawPointer(buffer.start + place).storeBytes(of: number.littleEndian, as: UInt32.self)
    }

    private static func number(_ text: Text, at place: Int) -> Int {
        Int(UInt32(littleEndian: UnsafeRawBufferPointer(text).loadUnaligned(fromByteOffset: place, as: UInt32.self)))
    }
}
