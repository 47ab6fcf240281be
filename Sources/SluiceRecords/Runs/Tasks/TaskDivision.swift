import FoundationEssentials

/// The inputs of a run, divided among tasks. There may be a million, so each is held once, and what
/// a task reads is made when it is asked for.
struct TaskDivision {
    /// An input, or a piece of one.
    private struct Piece {
        var input: Int
        /// The number of the input's pieces before it.
        var number: Int
    }

    /// Where relative paths start.
    private let folder: String
    private let inputs: [InputFile]
    private let stamps: [PlannedStamp]
    /// For inputs that may be divided, at which places.
    private let cuts: [Int: [InputCut]]
    private var pieces: [Piece] = []
    /// By the task's index.
    private var shares: [Range<Int>] = []
    /// The size of the largest task before decompression.
    private(set) var largest: UInt64 = 0

    init(_ inputs: [InputFile], _ stamps: [PlannedStamp], cut cuts: [Int: [InputCut]], into count: Int, folder: String) {
        (self.inputs, self.stamps, self.cuts, self.folder) = (inputs, stamps, cuts, folder)
        pieces.reserveCapacity(inputs.count)
        for input in inputs.indices {
            for number in 0...(cuts[input]?.count ?? 0) { pieces.append(Piece(input: input, number: number)) }
        }
        let sizes = pieces.map { piece in (end(of: piece)?.position ?? UInt64(stamps[piece.input].size)) - (start(of: piece)?.position ?? 0) }
        let shares = InputDivision.ranges(sizes, into: count).enumerated().map { (number: $0, range: $1, bytes: sizes[$1].reduce(0, +)) }
        let sorted = shares.sorted { one, other in
            (one.range.isEmpty ? 1 : 0, other.bytes, one.number) < (other.range.isEmpty ? 1 : 0, one.bytes, other.number)
        }
        self.shares = sorted.map(\.range)
        largest = sorted.first?.bytes ?? 0
    }

    private func start(of piece: Piece) -> InputCut? { piece.number > 0 ? cuts[piece.input]?[piece.number - 1] : nil }

    private func end(of piece: Piece) -> InputCut? {
        guard let cuts = cuts[piece.input], piece.number < cuts.count else { return nil }
        return cuts[piece.number]
    }

    /// What a task reads. The largest task is the first one.
    subscript(task: Int) -> TaskInputs {
        let share = pieces[shares[task]]
        guard let first = share.first, let last = share.last else { return TaskInputs(task: task, before: inputs.count, inputs: []) }
        return TaskInputs(
            task: task, before: first.input,
            inputs: (first.input...last.input).map { PlannedInput(inputs[$0], stamps[$0], in: folder) },
            start: start(of: first), end: end(of: last).map { InputEnd($0) })
    }

    /// Calls `body` with the line of each task in turn.
    func forEachLine<Failure: Error>(_ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Void) throws(Failure) {
        let line = ByteBuffer(capacity: 64 << 10)
        defer { withExtendedLifetime(line) {} }
        for task in shares.indices {
            line.count = 0
            self[task].write(to: line)
            try body(line.filled)
        }
    }
}

extension TaskInputs {
    /// Writes a line of JSON, as an encoder would with its keys in alphabetical order: in a plan
    /// with a million inputs, that counts.
    func write(to line: ByteBuffer) {
        line.append("{\"before\":")
        JSONText.write(before, to: line)
        if let end {
            line.append(",\"end\":")
            Self.write(end, to: line)
        }
        line.append(",\"inputs\":[")
        for (index, input) in inputs.enumerated() {
            line.append(index == 0 ? "{\"ends\":" : ",{\"ends\":")
            JSONText.write(input.ends.text, to: line)
            line.append(",\"modified\":")
            JSONText.write(input.modified, to: line)
            line.append(",\"name\":")
            JSONText.write(input.name, to: line)
            line.append(",\"path\":")
            JSONText.write(input.path, to: line)
            line.append(",\"size\":")
            JSONText.write(input.size, to: line)
            if let version = input.version {
                line.append(",\"version\":")
                JSONText.write(version, to: line)
            }
            line.append("}")
        }
        line.append("]")
        if let start {
            line.append(",\"start\":")
            Self.write(start, to: line)
        }
        line.append(",\"task\":")
        JSONText.write(task, to: line)
        line.append("}\n")
    }

    private static func write(_ value: some Encodable, to line: ByteBuffer) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            for byte in try encoder.encode(value) { line.append(byte) }
        } catch {
            preconditionFailure("a place in an input can be encoded")
        }
    }
}
