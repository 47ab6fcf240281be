/// Working memory of one thread during evaluation: the text and values that cells refer to, and the
/// last error.
///
/// Cells that an evaluation returns stay valid until ``reset()``, which belongs at the end of a
/// batch. Must not be used by two threads at once.
public final class Scratch {
    /// Text created during evaluation.
    public let text = TextArena()
    /// Why the last evaluation failed. Meaningful only right after a result that indicates failure.
    public internal(set) var error: EvaluationError?
    public let reader: (any CompositeReader)?
    /// The most bytes that one evaluation may make.
    @exclusivity(unchecked) public var room = 1 << 30
    // One thread at a time, so that accesses need no run-time exclusivity check.
    @exclusivity(unchecked) private var boxed: [Value] = []
    @exclusivity(unchecked) private var boxedBytes = 0
    /// When the last evaluation began.
    @exclusivity(unchecked) private var start = Mark(text: .none, boxed: 0, boxedBytes: 0)

    public init(reader: (any CompositeReader)? = nil) {
        self.reader = reader
    }

    /// Invalidates every cell that refers to this scratch; keeps the memory for the next batch.
    public func reset() {
        text.reset()
        boxed.removeAll(keepingCapacity: true)
        boxedBytes = 0
        start = mark
        error = nil
    }

    /// What was stored up to some time.
    public struct Mark {
        fileprivate let text: TextArena.Mark
        fileprivate let boxed: Int
        fileprivate let boxedBytes: Int

        /// See ``Scratch/byteCount``.
        public var byteCount: Int { text.count &+ boxedBytes }
    }

    public var mark: Mark { Mark(text: text.mark, boxed: boxed.count, boxedBytes: boxedBytes) }

    /// The size of what was made since the last ``reset()``, about.
    public var byteCount: Int { text.count &+ boxedBytes }

    /// About the memory of what a cell refers to, here or elsewhere.
    public func byteCount(of cell: Cell) -> Int {
        switch cell.kind {
        case .string, .bytes, .decimal, .json: Int(cell.count)
        case .boxed: boxedValue(cell).heldByteCount
        default: 0
        }
    }

    /// Invalidates every cell made since the mark; the last error stays.
    public func rewind(to mark: Mark) {
        text.rewind(to: mark.text)
        if boxed.count > mark.boxed { boxed.removeSubrange(mark.boxed...) }
        boxedBytes = mark.boxedBytes
    }

    /// Marks the beginning of an evaluation, if what its cells need is made here before.
    @inline(__always)
    public func begin() { start = mark }

    /// The size of what the evaluation has made.
    @inline(__always)
    public var madeCount: Int { byteCount &- start.byteCount }

    /// Whether the evaluation may make so many bytes more.
    @inline(__always)
    func hasRoom(for count: Int) -> Bool { madeCount &+ count <= room }

    /// Invalidates every cell that the evaluation has made.
    @inline(__always)
    public func discard() { rewind(to: start) }

    /// The result of the evaluation, without most of what else it has made. Invalidates every other
    /// cell that it has made.
    @inline(__always)
    func settled(_ result: Cell) -> Cell { madeCount > Self.slack ? freed(result) : result }

    /// What an evaluation may leave behind. Most make less, so that they are spared the work.
    private static let slack = 1024

    @inline(never)
    private func freed(_ result: Cell) -> Cell {
        switch result.kind {
        case .string, .bytes, .decimal, .json:
            guard madeCount > 2 * Int(result.count) else { return result }
            let kept = text.rewind(to: start.text, keeping: result.textBytes)
            rewind(to: Mark(text: text.mark, boxed: start.boxed, boxedBytes: start.boxedBytes))
            return kept.map { .text(result.kind, $0, count: Int(result.count)) } ?? result
        case .boxed:
            let isAlone = text.count == start.text.count && boxed.count == start.boxed + 1
            guard !isAlone, result.payload >= UInt64(start.boxed) else { return result }
            let value = boxedValue(result)
            discard()
            return box(value)
        default:
            discard()
            return result
        }
    }

    /// A cell for the result of the generic evaluator; an error if there is no room for it.
    func result(_ value: Value) -> Cell {
        let cell = cell(of: value)
        return hasRoom(for: 0) ? cell : fail(.tooMuch(room))
    }

    /// Stores a value that fits no other kind of cell.
    public func box(_ value: Value) -> Cell {
        boxed.append(value)
        boxedBytes &+= value.heldByteCount
        return Cell(kind: .boxed, payload: UInt64(boxed.count - 1))
    }

    public func text(_ kind: Cell.Kind = .string, copying bytes: UnsafeBufferPointer<UInt8>) -> Cell {
        .text(kind, text.copy(bytes), count: bytes.count)
    }

    public func text(_ kind: Cell.Kind = .string, copying text: String) -> Cell {
        var text = text
        return text.withUTF8 { self.text(kind, copying: $0) }
    }

    /// The value of a cell of kind `boxed`.
    public func boxedValue(_ cell: Cell) -> Value { boxed[Int(cell.payload)] }

    /// What an optional holds, or `absent` if it is empty; other values as they are.
    @inline(never)
    func unwrapped(_ cell: Cell) -> Cell {
        guard case .optional(let wrapped) = boxedValue(cell) else { return cell }
        guard let wrapped else { return .absent }
        return self.cell(of: wrapped)
    }

    /// Stores the error, and returns a cell that indicates failure.
    @inline(never)
    func fail(_ error: EvaluationError) -> Cell {
        self.error = error
        return .error
    }

    /// The error of a failed evaluation.
    public func takeError() -> EvaluationError {
        defer { error = nil }
        return error ?? EvaluationError(.invalidArgument, "the evaluation failed")
    }
}

extension Scratch {
    /// The value of a cell.
    ///
    /// - Throws: what the reader throws for `json`; `no_such_field` for `absent`; the last error
    ///   for `error`.
    public func value(of cell: Cell) throws(EvaluationError) -> Value {
        switch cell.kind {
        case .absent: throw EvaluationError(.noSuchField, "no such field")
        case .null: return .null
        case .bool: return .bool(cell.boolValue)
        case .int: return .int(cell.intValue)
        case .uint: return .uint(cell.payload)
        case .double: return .double(cell.doubleValue)
        case .string: return .string(String(decoding: cell.textBytes, as: UTF8.self))
        case .bytes: return .bytes(Array(cell.textBytes))
        case .timestamp: return try timestamp(of: cell)
        case .duration: return .duration(cell.duration)
        case .decimal: return .decimal(String(decoding: cell.textBytes, as: UTF8.self))
        case .json:
            guard let reader else { throw EvaluationError(.invalidArgument, "this value is JSON text, but there is no JSON reader") }
            return try reader.value(ofJSON: cell.textBytes)
        case .boxed: return boxedValue(cell)
        case .error: throw takeError()
        }
    }

    private func timestamp(of cell: Cell) throws(EvaluationError) -> Value {
        guard let value = Timestamp(seconds: cell.intValue, nanoseconds: Int32(bitPattern: cell.count)) else {
            throw EvaluationError(.invalidArgument, "the timestamp is outside the years 1 to 9999")
        }
        return .timestamp(value)
    }

    /// A cell for the value. Text is copied into the arena; what fits no cell is boxed.
    public func cell(of value: Value) -> Cell {
        switch value {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(value)
        case .uint(let value): return .uint(value)
        case .double(let value): return .double(value)
        case .decimal(let value): return text(.decimal, copying: value)
        case .string(let value): return text(copying: value)
        case .bytes(let value): return value.withUnsafeBufferPointer { text(.bytes, copying: $0) }
        case .timestamp(let value): return .timestamp(seconds: value.seconds, nanoseconds: UInt32(value.nanoseconds))
        case .duration(let value):
            let (seconds, attoseconds) = value.components
            return .duration(seconds: seconds, nanoseconds: Int32(truncatingIfNeeded: attoseconds / 1_000_000_000))
        case .list, .map, .type, .optional, .ip, .cidr: return box(value)
        }
    }
}

extension Value {
    /// About the memory of what the value refers to. Parts that it shares count each time, as they
    /// do for the cost limit: they will be when it is written.
    fileprivate var heldByteCount: Int {
        switch self {
        case .list(let values): values.reduce(32 + values.count * MemoryLayout<Value>.stride) { $0 &+ $1.heldByteCount }
        case .map(let map):
            map.entries.reduce(32 + map.count * MemoryLayout<ValueMap.Entry>.stride) { $0 &+ $1.key.heldByteCount &+ $1.value.heldByteCount }
        case .string(let text), .decimal(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .optional(let value?): 32 &+ value.heldByteCount
        default: 0
        }
    }
}

extension Cell {
    var duration: Duration {
        Duration(secondsComponent: intValue, attosecondsComponent: Int64(Int32(bitPattern: count)) * 1_000_000_000)
    }
}
