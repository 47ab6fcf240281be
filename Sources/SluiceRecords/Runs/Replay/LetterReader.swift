import FoundationEssentials
import Glibc
import Sluice
import SluiceCEL

/// Reads dead letters as batches of the records in them, parsed anew from their bytes.
///
/// A batch has records of one input, and one head. Called by one job at a time.
final class LetterReader {
    private let reader: any InputReader
    private let replay: Replay
    private let buffers: BufferPool
    private let settled: SettledLetters
    private let heads: HeadSearch?
    /// Batches that are complete, and the one that is being filled.
    private var ready: [Batch] = []
    private var filling: Batch?
    private var head: FileHead?
    /// The size of the kept letters in that batch.
    private var keptBytes = 0
    private var number = 0

    /// - Parameters:
    ///   - reader: reads the file of dead letters as lines.
    ///   - configuration: where records over the size limit are spilled.
    init(_ reader: any InputReader, _ replay: Replay, buffers: BufferPool, _ configuration: BatchReader.Configuration) throws(RunError) {
        self.reader = reader
        self.replay = replay
        self.buffers = buffers
        settled = try SettledLetters(
            in: replay.folder, repeats: replay.repeats, StageRoom(memory: replay.memory, folder: FileManager.default.temporaryDirectory.path))
        heads = replay.original.format.framing.quoting?.hasHead == true ? HeadSearch(replay.original, configuration) : nil
    }

    /// - Throws: ``RunError`` if a line is not a dead letter of the pipeline; ``InputError``.
    func next() throws -> Batch? {
        while ready.isEmpty {
            guard let lines = try reader.next() else { return nil }
            try take(lines)
            buffers.give(lines.bytes)
        }
        return ready.removeFirst()
    }

    private func take(_ lines: Batch) throws {
        var spilled = lines.spilled[...]
        for (index, frame) in lines.frames.enumerated() {
            while let next = spilled.first, next.beforeFrame <= index { try keep(spilled.removeFirst()) }
            try take(frame, of: lines, isLast: index == lines.frames.count - 1)
        }
        for record in spilled { try keep(record) }
        if filling == nil, ready.isEmpty { begin(file: "", head: nil) }
        endBatch()
        for batch in ready {
            batch.compressedBytesRead = lines.compressedBytesRead
            batch.end = lines.end
        }
    }

    private func take(_ frame: Frame, of lines: Batch, isLast: Bool) throws {
        replay.count { $0.letters += 1 }
        let bytes = UnsafeBufferPointer(start: UnsafePointer(lines.bytes.start) + Int(frame.start), count: Int(frame.count))
        let line = lines.line + UInt64(frame.lineDelta)
        guard bytes.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else {
            replay.count { $0.blank += 1 }
            return passOver()
        }
        let letter: MetDeadLetter
        do throws(RunError) {
            letter = try MetDeadLetter(line: bytes, of: reader.file.path, number: line)
        } catch {
            let isCut = isLast && Int(frame.start) + Int(frame.count) == lines.bytes.count
            throw isCut ? refusal(line, "the file ends in the middle of this dead letter; copy the file again, or remove the line") : error
        }
        guard letter.pipeline.isSame(as: replay.pipeline) else {
            throw refusal(
                line, "a dead letter of the pipeline '\(letter.pipeline)', but \(replay.file) is '\(replay.pipeline)'; replay it with its own pipeline file")
        }
        if letter.definition != replay.definition { replay.count { $0.ofOtherDefinitions += 1 } }
        switch try fate(of: letter, line) {
        case .kept(let reason): keep(letter, bytes, because: reason)
        case .replayed(let place, let path): try feed(letter, place: place, path: path)
        }
    }

    private func refusal(_ line: UInt64, _ reason: String) -> RunError { .report(path: "\(reader.file.path):\(line)", reason: reason) }

    private func fate(of letter: MetDeadLetter, _ line: UInt64) throws(RunError) -> ReplayTargets.Fate {
        if letter.file == nil { return .kept(reason: "their records were combined from others, and belong to no input") }
        switch letter.rawKind {
        case .withheld: return .kept(reason: "'redact' has withheld the bytes of their records")
        case .none: throw refusal(line, "a dead letter without 'raw'; copy the file again, or remove the line")
        case .beginning: return .kept(reason: "they have only the beginnings of their records, which are in the inputs; run the pipeline again")
        case .bytes: break
        }
        if letter.code == "record.torn" { return .kept(reason: "they are only the ends of records, whose beginnings are lost") }
        if letter.code == "record.suspect", replay.original.onDamage == .setAside {
            return .kept(reason: "'on_damage: set_aside' does not accept records of damaged members; 'on_damage: salvage' does")
        }
        return replay.targets.fate(ofStage: letter.stage, code: letter.code)
    }

    private func feed(_ letter: MetDeadLetter, place: Int?, path: String) throws {
        let identity = Hash128(identifying: letter, path: path)
        guard try settled.insert(identity) else {
            replay.count { $0.known += 1 }
            return passOver()
        }
        let file = letter.file ?? ""
        let head = try heads?.head(of: file, at: letter.offset ?? 0)
        let batch = batch(of: file, head: head, room: letter.raw.count)
        let frame = Frame(start: UInt32(batch.bytes.count), count: UInt32(letter.raw.count), lineDelta: 0)
        letter.raw.withUnsafeBufferPointer { batch.bytes.append($0) }
        batch.bytes.append(0x0A)
        batch.frames.append(frame)
        if let fault = fault(of: letter, at: frame.start) { batch.faults.append(fault) }
        if letter.code == "record.suspect" { batch.suspect += 1 }
        let position = Position(member: letter.member, offset: letter.offset ?? 0, line: letter.line ?? 0)
        batch.replayed?.records.append(ReplayedRecords.Record(position: position, attempts: letter.attempts, place: place, path: path, identity: identity))
    }

    /// What the source would say of the record before it decodes it.
    private func fault(of letter: MetDeadLetter, at start: UInt32) -> FramingFault? {
        let source = replay.original
        if letter.raw.count > source.maxRecord {
            let message = "the record has \(letter.raw.count) bytes, more than source.max_record allows"
            return FramingFault(start: start, code: "record.too_long", message: message, isFirst: true)
        }
        guard source.framing == .lines, letter.raw.contains(0x0A) else { return nil }
        return FramingFault(
            start: start, code: "parse.\(source.format.name)", message: "the record has a line feed, but each line of the source is a record", isFirst: true)
    }

    private func keep(_ letter: MetDeadLetter, _ bytes: UnsafeBufferPointer<UInt8>, because reason: String) {
        let failure = RecordFailure(code: letter.code, message: letter.message, attempts: letter.attempts)
        keep(
            ReplayedRecords.Kept(
                beforeFrame: 0, stage: letter.stage, failure: failure,
                letter: KeptLetter(bytes: Array(bytes) + [0x0A], file: letter.file, line: letter.line)), because: reason)
    }

    private func keep(_ spilled: SpilledRecord) throws(InputError) {
        let beginning = try DeadLetterBeginning(spilled)
        replay.count { $0.letters += 1 }
        let failure = RecordFailure(code: beginning.code, message: "a dead letter of \(spilled.byteCount) bytes")
        keep(
            ReplayedRecords.Kept(beforeFrame: 0, stage: beginning.stage, failure: failure, letter: KeptLetter(bytes: []), spilled: spilled),
            because: "they are far longer than source.max_record allows")
    }

    private func keep(_ kept: ReplayedRecords.Kept, because reason: String) {
        replay.count { counts in
            counts.kept += 1
            counts.reasons[reason, default: 0] += 1
        }
        if filling == nil { begin(file: "", head: nil) }
        guard let batch = filling else { return }
        var kept = kept
        kept.beforeFrame = batch.frames.count
        kept.spilled?.beforeFrame = batch.frames.count
        batch.replayed?.kept.append(kept)
        keptBytes += kept.letter.bytes.count
        if keptBytes >= Batch.targetBytes { endBatch() }
    }

    private func passOver() {
        if filling == nil { begin(file: "", head: nil) }
        filling?.replayed?.passedOver += 1
    }

    /// The batch for a record of the given input: the one that is being filled, or a new one.
    private func batch(of file: String, head: FileHead?, room: Int) -> Batch {
        if let batch = filling {
            let isOfFile = batch.frames.isEmpty || (batch.name?.text.isSame(as: file) == true && self.head == head)
            let hasRoom = batch.frames.isEmpty || batch.bytes.count + room <= Batch.targetBytes
            if isOfFile, hasRoom, batch.name?.text.isSame(as: file) == true { return batch }
            endBatch()
        }
        return begin(file: file, head: head)
    }

    @discardableResult
    private func begin(file: String, head: FileHead?) -> Batch {
        let batch = Batch(bytes: buffers.take(), input: reader.index, offset: 0, line: 0)
        batch.head = head
        self.head = head
        batch.replayed = ReplayedRecords(replay: replay)
        batch.name = RecordFields.InputName(file)
        if case .documents = replay.original.framing { batch.spansLines = true }
        filling = batch
        return batch
    }

    private func endBatch() {
        guard let batch = filling else { return }
        batch.number = number
        number += 1
        ready.append(batch)
        filling = nil
        keptBytes = 0
    }
}

extension Hash128 {
    /// The identity of a dead letter, whatever its stage and its error.
    fileprivate init(identifying letter: MetDeadLetter, path: String) {
        let digest = Digest()
        for text in [letter.file ?? "", "\(letter.offset ?? 0)", path] {
            Array("\(text.utf8.count) \(text)".utf8).withUnsafeBufferPointer { digest.update($0) }
        }
        letter.raw.withUnsafeBufferPointer { digest.update($0) }
        let hex = digest.hex
        self.init(high: UInt64(hex.prefix(16), radix: 16) ?? 0, low: UInt64(hex.dropFirst(16).prefix(16), radix: 16) ?? 0)
    }
}
