import CISAL
import CZlib
import Glibc
import Sluice
import SluiceCEL

/// The file that a task writes its batches to, for ``SpooledBatches``: one after the other, in the
/// order of the input, each with its size and its CRC-32.
///
/// One owner at a time.
final class BatchSpool {
    static let name = "batches"
    /// The size of what comes before a batch: its size and its checksum, little endian.
    static let headBytes = 8

    private let path: String
    private let descriptor: Int32
    private(set) var batches = 0
    private(set) var bytes = 0

    init(in folder: String) throws(OutputError) {
        path = "\(folder)/\(Self.name)"
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .failed(path, "cannot be created", errno) }
    }

    deinit {
        close(descriptor)
    }

    func append(_ batch: EncodedBatch) throws(OutputError) {
        var writer = StateWriter(capacity: batch.outputs.reduce(4096) { $0 + $1.bytes.count + 64 })
        writer.write(batch)
        try append(writer.bytes)
    }

    /// Appends a batch that ``TaskCut/before(_:)`` cuts off.
    func append(_ batch: RecordBatch, of plan: Plan, _ letters: DeadLetterEncoder) throws(OutputError) {
        var writer = StateWriter()
        try writer.write(batch, of: plan, letters)
        try append(writer.bytes)
    }

    private func append(_ contents: [UInt8]) throws(OutputError) {
        let checksum = contents.withUnsafeBufferPointer { Self.checksum($0) }
        let head = UInt32(contents.count).littleEndianBytes + checksum.littleEndianBytes
        for piece in [head, contents] {
            if let failure = piece.withUnsafeBufferPointer({ writeAll($0, to: descriptor) }) { throw .failed(path, "cannot be written", failure) }
        }
        batches += 1
        bytes += head.count + contents.count
    }

    /// Makes what was written durable.
    func sync() throws(OutputError) {
        guard fsync(descriptor) == 0 else { throw .failed(path, "cannot be written", errno) }
    }

    static func checksum(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        if ISALInflater.isAvailable { return cisal_crc32(0, bytes.baseAddress, bytes.count) }
        return UInt32(truncatingIfNeeded: crc32_z(0, bytes.baseAddress, bytes.count))
    }
}

/// Reads the batches of a task. One owner at a time.
final class SpooledBatches {
    private let path: String
    private let input: InputDescriptor
    /// What is still to be read, of the file.
    private var left: Int
    /// What was read: small batches are read together.
    private var buffer = ByteBuffer(capacity: 0)
    private var place = 0

    private static let mostTogether = 256 << 10

    /// - Parameters:
    ///   - bytes: the size of the file.
    ///   - range: the bytes to read; by default all.
    init(in folder: String, bytes: Int, range: Range<Int>? = nil) throws(InputError) {
        path = "\(folder)/\(BatchSpool.name)"
        input = try InputDescriptor(InputFile(path: path), at: UInt64(range?.lowerBound ?? 0))
        left = range?.count ?? bytes
        guard input.size == UInt64(bytes) else { throw .unreadable(path: path, reason: "it has not the size that it was written with") }
    }

    deinit {
        input.close()
    }

    /// - Returns: `nil` after the last.
    func next() throws(InputError) -> EncodedBatch? {
        try next { (reader) throws(CheckpointError) in try reader.batch() }
    }

    /// - Parameter body: reads a batch whole.
    func next<Element>(_ body: (inout StateReader) throws(CheckpointError) -> Element) throws(InputError) -> Element? {
        guard left > 0 || place < buffer.count else { return nil }
        let head = try read(BatchSpool.headBytes)
        let (count, checksum) = (number(at: head.lowerBound), number(at: head.lowerBound + 4))
        let contents = try read(Int(count))
        guard BatchSpool.checksum(UnsafeBufferPointer(rebasing: buffer.filled[contents])) == checksum else { throw damaged }
        do throws(CheckpointError) {
            var reader = StateReader(buffer, contents)
            let batch = try body(&reader)
            guard reader.isAtEnd else { throw CheckpointError("more than a batch") }
            return batch
        } catch {
            throw damaged
        }
    }

    private func number(at place: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(buffer.start[place + $1]) << (8 * UInt32($1)) } }

    private var damaged: InputError { .unreadable(path: path, reason: "it was changed since it was written; remove the task's folder, and run the task again") }

    /// - Returns: where the next bytes are in the buffer.
    private func read(_ count: Int) throws(InputError) -> Range<Int> {
        if buffer.count - place < count { try fill(count) }
        place += count
        return place - count..<place
    }

    /// Reads at least so many bytes from the place on, into another buffer, as the one before may
    /// still be in use.
    private func fill(_ count: Int) throws(InputError) {
        let kept = buffer.count - place
        guard count - kept <= left else { throw damaged }
        let wanted = max(count, min(kept + left, Self.mostTogether))
        let next = ByteBuffer(capacity: wanted)
        next.append(UnsafeBufferPointer(rebasing: buffer.filled[place...]))
        while next.count < wanted {
            let step = input.read(into: UnsafeMutableRawBufferPointer(start: next.start + next.count, count: wanted - next.count))
            guard step >= 0 else { throw .unreadable(path: path, reason: describe(error: Int32(-step))) }
            guard step > 0 else { throw damaged }
            next.count += step
        }
        left -= wanted - kept
        (buffer, place) = (next, 0)
    }
}

extension StateWriter {
    fileprivate mutating func write(_ batch: EncodedBatch) {
        write(optional: batch.input) { $0.write($1) }
        write(optional: batch.end) { $0.write($1) }
        write(batch.number)
        write(all: batch.outputs) { $0.write($1) }
        write(all: batch.deadLetters) { $0.write($1) }
        write(all: batch.counts) { $0.write($1) }
        write(all: batch.timeouts) { $0.write($1) }
        write(all: batch.codes.sorted { Name($0.key) < Name($1.key) }) { writer, code in
            writer.write(code.key)
            writer.write(code.value)
        }
        write(all: batch.firsts.sorted { Name($0.key) < Name($1.key) }) { writer, first in
            writer.write(first.key)
            writer.write(first.value.message)
            writer.write(first.value.stage)
            writer.write(optional: first.value.line) { $0.write($1) }
            writer.write(optional: first.value.file) { $0.write($1) }
        }
        write(all: batch.damage) { $0.write($1) }
        write(batch.suspect)
        write(batch.textBytes)
        write(batch.compressedBytes)
    }

    private mutating func write(_ output: EncodedOutput) {
        write(output.sink)
        write(output.path)
        output.head.withUnsafeBufferPointer { write($0) }
        output.bytes.withFilled { write($0) }
        write(optional: output.block) { writer, checksum in
            writer.write(UInt64(checksum.crc))
            writer.write(checksum.count)
        }
        write(output.records)
        write(all: output.ends) { $0.write($1) }
    }

    private mutating func write(_ letter: EncodedDeadLetter) {
        switch letter {
        case .lines(let lines):
            write(0)
            lines.withFilled { write($0) }
        case .spilled(let record, let stage, let failure):
            write(1)
            write(record)
            write(stage)
            write(failure)
        case .block(let block, let checksum, let records):
            write(2)
            block.withFilled { write($0) }
            write(UInt64(checksum.crc))
            write(checksum.count)
            write(records)
        case .stored: preconditionFailure("a task holds its dead letters in memory")
        case .kept: preconditionFailure("only a replay keeps dead letters")
        }
    }

    mutating func write(_ record: SpilledRecord) {
        write(SpilledRecord.Reason.all.firstIndex(of: record.reason) ?? 0)
        write(record.beforeFrame)
        write(record.position)
        write(record.byteCount)
        write(optional: record.kept) { $0.write($1) }
        write(record.isUTF8 ? 1 : 0)
        write(NameBytes.lastName(of: record.spill))
        write(optional: record.file) { $0.write($1) }
    }

    mutating func write(_ failure: RecordFailure) {
        write(failure.code)
        write(failure.message)
        write(failure.attempts)
    }

    mutating func write(_ counts: StageCounts) {
        for number in [counts.in, counts.out, counts.filtered, counts.dropped, counts.dead, counts.added, counts.absorbed] { write(number) }
    }

    mutating func write(_ position: Position) {
        write(position.member)
        write(position.offset)
        write(position.line)
    }

    mutating func write(_ damage: Damage) {
        write(damage.kind.rawValue)
        write(damage.offset)
        write(optional: damage.file) { $0.write($1) }
        write(damage.member)
        write(damage.lostBytes)
        write(damage.lostText)
    }

    mutating func write<Value>(optional value: Value?, _ body: (inout StateWriter, Value) -> Void) {
        write(value == nil ? 0 : 1)
        if let value { body(&self, value) }
    }

    mutating func write<Values: Collection, Failure>(
        all values: Values, _ body: (inout StateWriter, Values.Element) throws(Failure) -> Void
    ) throws(Failure) {
        write(values.count)
        for value in values { try body(&self, value) }
    }
}

extension EncodedBatch {
    /// Whether the numbers can be right, as they may not be in a file that was changed.
    ///
    /// - Parameters:
    ///   - inputs: the number of the task's inputs.
    ///   - places: the number of places in the books.
    func isPossible(ofInputs inputs: Int, sinks: Int, places: Int) -> Bool {
        guard let input, input < inputs, counts.count == places, timeouts.count == places else { return false }
        // Numbers whose sum an Int may have no room for.
        guard deadLetters.reduce(0, { $0 + Int128($1.letters) }) == counts.reduce(0, { $0 + Int128($1.dead) }) else { return false }
        return outputs.allSatisfy { output in
            let ends = output.ends
            return output.sink < sinks && ends.last ?? 0 <= output.bytes.count && zip(ends, ends.dropFirst()).allSatisfy { $0 <= $1 }
        }
    }
}

extension StateReader {
    fileprivate mutating func batch() throws(CheckpointError) -> EncodedBatch {
        let input = try optional { (reader) throws(CheckpointError) in try reader.integer() }
        let end = try optional { (reader) throws(CheckpointError) in try reader.position() }
        let number = try integer()
        var batch = EncodedBatch(
            input: input, end: end, number: number, outputs: try all { (reader) throws(CheckpointError) in try reader.output() },
            deadLetters: try all { (reader) throws(CheckpointError) in try reader.letter() },
            counts: try all { (reader) throws(CheckpointError) in try reader.counts() },
            timeouts: try all { (reader) throws(CheckpointError) in try reader.integer() }, codes: [:], damage: [], textBytes: 0, compressedBytes: 0)
        for (code, count) in try all({ (reader) throws(CheckpointError) in (try reader.string(), try reader.integer()) }) { batch.codes[code] = count }
        for (code, failure) in try all({ (reader) throws(CheckpointError) in (try reader.string(), try reader.firstFailure()) }) {
            batch.firsts[code] = failure
        }
        batch.damage = try all { (reader) throws(CheckpointError) in try reader.damage() }
        (batch.suspect, batch.textBytes, batch.compressedBytes) = (try amount(), try amount(), try amount())
        return batch
    }

    private mutating func output() throws(CheckpointError) -> EncodedOutput {
        let (sink, path, head, bytes) = (try integer(), try string(), Array(try text()), try buffer())
        let block = try optional { (reader) throws(CheckpointError) in
            TextChecksum(crc: UInt32(truncatingIfNeeded: try reader.number()), count: try reader.number())
        }
        let records = try integer()
        return EncodedOutput(
            sink: sink, path: path, head: head, bytes: bytes, block: block, records: records,
            ends: try all { (reader) throws(CheckpointError) in try reader.integer() })
    }

    private mutating func letter() throws(CheckpointError) -> EncodedDeadLetter {
        switch try integer() {
        case 0: return .lines(try buffer())
        case 1:
            let (record, stage) = (try spilledRecord(), try string())
            return .spilled(record, stage: stage, failure: try failure())
        case 2:
            let block = try buffer()
            let checksum = TextChecksum(crc: UInt32(truncatingIfNeeded: try number()), count: try number())
            return .block(block, checksum, records: try integer())
        default: throw CheckpointError("an unknown kind of dead letter")
        }
    }

    mutating func spilledRecord() throws(CheckpointError) -> SpilledRecord {
        let reason = try integer()
        guard SpilledRecord.Reason.all.indices.contains(reason) else { throw CheckpointError("an unknown reason") }
        let (beforeFrame, position, byteCount) = (try integer(), try position(), try amount())
        let kept = try optional { (reader) throws(CheckpointError) in try reader.integer() }
        var record = SpilledRecord(
            reason: SpilledRecord.Reason.all[reason], beforeFrame: beforeFrame, position: position, byteCount: byteCount, isUTF8: try integer() == 1,
            spill: try string())
        guard SpillFile.isName(record.spill), !record.spill.contains("/") else { throw CheckpointError("no spill file of a task") }
        record.kept = kept
        record.file = try optional { (reader) throws(CheckpointError) in try reader.string() }
        return record
    }

    mutating func failure() throws(CheckpointError) -> RecordFailure {
        RecordFailure(code: try string(), message: try string(), attempts: try integer())
    }

    private mutating func firstFailure() throws(CheckpointError) -> FirstFailure {
        FirstFailure(
            message: try string(), stage: try string(), line: try optional { (reader) throws(CheckpointError) in try reader.amount() },
            file: try optional { (reader) throws(CheckpointError) in try reader.string() })
    }

    mutating func damage() throws(CheckpointError) -> Damage {
        guard let kind = Damage.Kind(rawValue: try string()) else { throw CheckpointError("an unknown kind of damage") }
        let offset = try amount()
        let file = try optional { (reader) throws(CheckpointError) in try reader.string() }
        var damage = Damage(kind: kind, offset: offset, member: try integer(), lostBytes: try amount(), lostText: try amount())
        damage.file = file
        return damage
    }

    mutating func counts() throws(CheckpointError) -> StageCounts {
        StageCounts(
            in: try integer(), out: try integer(), filtered: try integer(), dropped: try integer(), dead: try integer(), added: try integer(),
            absorbed: try integer())
    }

    mutating func position() throws(CheckpointError) -> Position {
        Position(member: try integer(), offset: try amount(), line: try amount())
    }

    private mutating func buffer() throws(CheckpointError) -> ByteBuffer {
        let text = try text()
        let buffer = ByteBuffer(capacity: text.count)
        buffer.append(text)
        return buffer
    }

    /// More bytes, lines and records than inputs have, so that sums have room.
    private static let most: UInt64 = 1 << 48

    mutating func amount() throws(CheckpointError) -> UInt64 {
        let number = try number()
        guard number <= Self.most else { throw CheckpointError("a number is too large") }
        return number
    }

    mutating func integer() throws(CheckpointError) -> Int { Int(try amount()) }

    mutating func optional<Value>(_ body: (inout StateReader) throws(CheckpointError) -> Value) throws(CheckpointError) -> Value? {
        try integer() == 1 ? try body(&self) : nil
    }

    mutating func all<Value>(_ body: (inout StateReader) throws(CheckpointError) -> Value) throws(CheckpointError) -> [Value] {
        let count = try count()
        var values: [Value] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try body(&self)) }
        return values
    }
}

extension SpilledRecord.Reason {
    fileprivate static let all: [SpilledRecord.Reason] = [.tooLong, .bomb, .torn]
}
