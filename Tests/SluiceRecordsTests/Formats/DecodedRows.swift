import Glibc
import SluiceCEL
import SluiceRecords

/// A copy of a cell that can be compared after its memory is freed.
enum CellValue: Equatable, CustomStringConvertible {
    case absent, null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case timestamp(Int64)
    case decimal(String)
    case json(String)
    case other(Cell.Kind)

    init(_ cell: Cell) {
        switch cell.kind {
        case .absent: self = .absent
        case .null: self = .null
        case .bool: self = .bool(cell.boolValue)
        case .int: self = .int(cell.intValue)
        case .uint: self = .uint(cell.payload)
        case .double: self = .double(cell.doubleValue)
        case .string: self = String(validating: cell.textBytes, as: UTF8.self).map { .string($0) } ?? .bytes(Array(cell.textBytes))
        case .bytes: self = .bytes(Array(cell.textBytes))
        case .timestamp: self = .timestamp(cell.intValue)
        case .decimal: self = .decimal(String(decoding: cell.textBytes, as: UTF8.self))
        case .json: self = .json(String(decoding: cell.textBytes, as: UTF8.self))
        default: self = .other(cell.kind)
        }
    }

    var description: String {
        switch self {
        case .absent: "absent"
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .uint(let value): "\(value)u"
        case .double(let value): "double \(value)"
        case .string(let value): "'\(value)'"
        case .bytes(let value): "bytes \(value)"
        case .timestamp(let value): "timestamp \(value)"
        case .decimal(let value): "decimal \(value)"
        case .json(let value): "json \(value)"
        case .other(let kind): "\(kind)"
        }
    }
}

struct DecodedRow: Equatable {
    var outcome: RowTable.Outcome
    var cells: [CellValue]
    var spans: [String]
    var code: String?
    var message: String?
}

/// Memory for text that is readable for exactly 64 bytes after the text; the page after that is
/// protected.
final class GuardedText {
    private let memory: UnsafeMutableRawPointer
    private let size: Int
    private let usable: Int
    private static let page = 4096

    init(atLeast capacity: Int) {
        usable = (capacity + 64 + Self.page - 1) / Self.page * Self.page
        size = usable + Self.page
        guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), memory != MAP_FAILED else {
            preconditionFailure("no memory for a test")
        }
        self.memory = memory
        mprotect(memory + usable, Self.page, PROT_NONE)
    }

    deinit { munmap(memory, size) }

    /// Places the text so that exactly 64 bytes can be read after it, all set to `filler`.
    func place(_ text: [UInt8], filler: UInt8 = 0) -> UnsafeBufferPointer<UInt8> {
        let start = (memory + usable - 64 - text.count).assumingMemoryBound(to: UInt8.self)
        text.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { start.update(from: base, count: text.count) }
        }
        (start + text.count).update(repeating: filler, count: 64)
        return UnsafeBufferPointer(start: UnsafePointer(start), count: text.count)
    }
}

/// The contents of cells and spans; the caller keeps the text that they point into alive.
func rows(_ table: RowTable, of base: UnsafePointer<UInt8>, _ frames: [Frame]) -> [DecodedRow] {
    frames.indices.map { row in
        let cells = (0..<table.columns).map { CellValue(table.row(row)[$0]) }
        let spans =
            !table.hasSpans
            ? []
            : (0..<table.columns).map { column -> String in
                let span = table.rowSpans(row)[column]
                let start = base + Int(frames[row].start)
                let text = UnsafeBufferPointer(start: start + Int(span.start), count: Int(span.end - span.start))
                let value = UnsafeBufferPointer(start: start + Int(span.value), count: Int(span.end - span.value))
                return span.isPresent ? String(decoding: text, as: UTF8.self) + " ~ " + String(decoding: value, as: UTF8.self) : ""
            }
        let failure = table.failures.first { $0.row == row }
        return DecodedRow(outcome: table.outcomes[row], cells: cells, spans: spans, code: failure?.code, message: failure?.message)
    }
}

func decode(_ text: [UInt8], columns: [String] = [], spans: Bool = false, filler: UInt8 = 0x0A, with decoder: some RecordDecoder) -> DecodedRow {
    let memory = GuardedText(atLeast: text.count)
    let placed = memory.place(text, filler: filler)
    let table = RowTable(columns: columns.count, hasSpans: spans)
    table.prepare(rows: 1)
    guard let base = placed.baseAddress else { preconditionFailure("placed text has an address") }
    return withExtendedLifetime(memory) {
        decoder.decode(placed, row: 0, into: table)
        return rows(table, of: base, [Frame(start: 0, count: UInt32(text.count), lineDelta: 0)])[0]
    }
}

/// Decodes texts as the lines of a single batch.
func decodeLines(_ texts: [[UInt8]], columns: [String], spans: Bool = false, with decoder: some RecordDecoder) -> [DecodedRow] {
    var bytes: [UInt8] = []
    var frames: [Frame] = []
    for (line, text) in texts.enumerated() {
        frames.append(Frame(start: UInt32(bytes.count), count: UInt32(text.count), lineDelta: UInt32(line)))
        bytes += text + [0x0A]
    }
    let memory = GuardedText(atLeast: bytes.count)
    let table = RowTable(columns: columns.count, hasSpans: spans)
    table.prepare(rows: texts.count)
    guard let base = memory.place(bytes).baseAddress else { preconditionFailure("placed text has an address") }
    return withExtendedLifetime(memory) {
        decoder.decode(frames, of: base, into: table)
        return rows(table, of: base, frames)
    }
}

func json(_ text: String, _ columns: [String] = [], spans: Bool = false) -> DecodedRow {
    decode(Array(text.utf8), columns: columns, spans: spans, with: JSONLinesDecoder(columns: columns, spans: spans))
}

/// A small seeded generator (splitmix64), so that failures are reproducible.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
