import FoundationEssentials
import Sluice
import SluiceCEL

// A batch in the middle of the stages, as a task leaves it: the source's frames, the bytes of the
// records that are left, their computed cells, and what has become of the others. It is decoded
// again from these bytes, so that all columns, and the places of members in JSON records, are as
// they were.

extension StateWriter {
    mutating func write(_ batch: RecordBatch, of plan: Plan, _ letters: DeadLetterEncoder) throws(OutputError) {
        let source = batch.source
        write(source.input)
        write(source.number)
        write(optional: source.name) { $0.write($1.text) }
        write(source.precedingText)
        write(optional: source.head) { $0.write(json: $1) }
        write(source.offset)
        write(source.line)
        write(source.spansLines ? 1 : 0)
        write(all: source.members) { writer, run in
            writer.write(run.firstFrame)
            writer.write(run.member)
        }
        write(all: source.spilled) { $0.write($1) }
        write(all: source.damage) { $0.write($1) }
        write(source.suspect)
        write(source.compressedBytesRead)
        write(source.end)
        write(recordsOf: batch, plan)
        write(all: batch.counts) { $0.write($1) }
        write(all: batch.timeouts) { $0.write($1) }
        try write(all: DeadLetterEncoder.inOrder(batch)) { (writer, entry) throws(OutputError) in
            try writer.write(entry.record, entry.letter, of: batch, letters)
        }
        write(optional: batch.fates) { writer, fates in
            writer.write(all: fates) { writer, fate in
                for number in [Int(fate.kind.rawValue), Int(fate.stage), Int(fate.frame), Int(fate.count)] { writer.write(number) }
            }
        }
        write(batch.withholdsRaw ? 1 : 0)
    }

    private mutating func write(recordsOf batch: RecordBatch, _ plan: Plan) {
        let source = batch.source
        write(source.bytes.count)
        var left = batch.rows.map { batch.origin(Int($0)) }[...]
        let texts = ByteBuffer(capacity: 1 << 16)
        write(all: Array(source.frames.enumerated())) { writer, entry in
            let (index, frame) = entry
            var isLeft = false
            while left.first == index {
                isLeft = true
                left.removeFirst()
            }
            if isLeft { texts.append(UnsafeBufferPointer(start: source.bytes.start + Int(frame.start), count: Int(frame.count))) }
            for number in [frame.start, isLeft ? frame.count : 0, frame.lineDelta] { writer.write(UInt64(number)) }
        }
        texts.withFilled { write($0) }
        let stage = plan.stage(before: batch.segment)
        write(optional: stage) { $0.write($1.number) }
        write(all: batch.rows) { writer, row in
            guard stage != nil else { return writer.write(UInt64(row)) }
            writer.write(batch.origin(Int(row)))
            writer.write(batch.text(Int(row)))
        }
        let cells = ByteBuffer(capacity: 256)
        for row in batch.rows {
            let cellsOfRow = batch.table.row(Int(row))
            let columns = (0..<batch.table.columns).filter { column in
                let cell = cellsOfRow[column]
                return column < batch.segment.decoded ? stage != nil && cell.losesType : cell.kind != .absent && cell.kind != .error
            }
            write(all: columns) { writer, column in
                writer.write(column)
                let cell = cellsOfRow[column]
                writer.write(cell.kind == .boxed ? 1 : 0)
                guard cell.kind != .boxed else { return writer.write(batch.scratch.boxedValue(cell)) }
                cells.count = 0
                WrittenKey.append(cell, to: cells)
                cells.withFilled { writer.write($0) }
            }
        }
    }

    private mutating func write(
        _ record: RefusedRecord, _ letter: DeadLetter, of batch: RecordBatch, _ letters: DeadLetterEncoder
    ) throws(OutputError) {
        write(letter.stage)
        write(letter.failure)
        write(record.frame)
        write(optional: record.spilled) { $0.write($1) }
        guard record.spilled == nil else { return }
        let line = ByteBuffer(capacity: 512)
        try letters.write(record, letter, of: batch, to: line)
        line.withFilled { write($0) }
        write(batch.source.position(ofFrame: record.frame).line)
    }

    private mutating func write(json value: some Encodable) {
        do {
            try Array(JSONEncoder().encode(value)).withUnsafeBufferPointer { write($0) }
        } catch {
            preconditionFailure("the head of a file can be encoded")
        }
    }
}

extension StateReader {
    /// - Parameters:
    ///   - place: the place in the books that tasks end before.
    ///   - inputs: those of the task, by their numbers in the run.
    ///   - most: the size of the largest batch in bytes.
    ///   - spill: returns the path of a record that was spilled, by its name; asked twice for each.
    mutating func recordBatch(
        of plan: Plan, endingBefore place: Int, scratch: Scratch, inputs: Range<Int>, most: Int, spill: (String) throws(CheckpointError) -> String
    ) throws(CheckpointError) -> RecordBatch {
        let input = try integer() + inputs.lowerBound
        guard inputs.contains(input) else { throw CheckpointError("an unknown input") }
        let number = try integer()
        let name = try optional { (reader) throws(CheckpointError) in RecordFields.InputName(try reader.string()) }
        let precedingText = try amount()
        let head = try optional { (reader) throws(CheckpointError) in try reader.head() }
        let (offset, line) = (try amount(), try amount())
        let spansLines = try integer() == 1
        let members = try all { (reader) throws(CheckpointError) in MemberRun(firstFrame: try reader.integer(), member: try reader.integer()) }
        var spilled = try all { (reader) throws(CheckpointError) in try reader.spilledRecord() }
        for index in spilled.indices { spilled[index].spill = try spill(spilled[index].spill) }
        let damage = try all { (reader) throws(CheckpointError) in try reader.damage() }
        let (suspect, compressed, end) = (try amount(), try amount(), try position())
        let (bytes, frames) = try frames(most: most)
        let source = Batch(bytes: bytes, input: input, offset: offset, line: line)
        (source.number, source.name, source.precedingText, source.head, source.spansLines) = (number, name, precedingText, head, spansLines)
        (source.members, source.spilled, source.damage, source.suspect) = (members, spilled, damage, suspect)
        (source.compressedBytesRead, source.end, source.frames) = (compressed, end, frames)
        let batch = RecordBatch(
            source: source, in: plan.segment(for: head), scratch: scratch, places: plan.places.count, tracksFates: plan.mayHaveEnough)
        let rows = try rows(of: batch, plan)
        let counts = try all { (reader) throws(CheckpointError) in try reader.counts() }
        let timeouts = try all { (reader) throws(CheckpointError) in try reader.integer() }
        guard counts.count == plan.places.count, timeouts.count == plan.places.count else { throw CheckpointError("other stages") }
        let letters = try all { (reader) throws(CheckpointError) in try reader.deadLetter(of: source, spill: spill) }
        let fates = try optional { (reader) throws(CheckpointError) in
            try reader.all { (reader) throws(CheckpointError) in try reader.fate(places: plan.places.count) }
        }
        batch.resume(rows: rows, counts: counts, timeouts: timeouts, deadLetters: letters, fates: fates)
        guard batch.isPossible(in: plan, endingBefore: place) else { throw CheckpointError("its books do not add up") }
        batch.withholdsRaw = try integer() == 1
        return batch
    }

    /// The source's bytes, as far as they are those of records that are left, and all frames.
    private mutating func frames(most: Int) throws(CheckpointError) -> (ByteBuffer, [Frame]) {
        let count = try integer()
        guard count <= min(most, 1 << 32) else { throw CheckpointError("a batch is too large") }
        let frames = try all { (reader) throws(CheckpointError) in
            Frame(start: try reader.small(), count: try reader.small(), lineDelta: try reader.small())
        }
        let texts = try text()
        let bytes = ByteBuffer(capacity: count)
        bytes.count = count
        var place = 0
        for frame in frames {
            let (start, size) = (Int(frame.start), Int(frame.count))
            guard start + size <= count, place + size <= texts.count else { throw CheckpointError("a record is outside of its batch") }
            guard size > 0 else { continue }
            _ = UnsafeMutableBufferPointer(start: bytes.start + start, count: size)
                .update(fromContentsOf: UnsafeBufferPointer(rebasing: texts[place..<(place + size)]))
            place += size
        }
        return (bytes, frames)
    }

    private mutating func rows(of batch: RecordBatch, _ plan: Plan) throws(CheckpointError) -> [UInt32] {
        let stage = try optional { (reader) throws(CheckpointError) in try reader.integer() }
        var rows: [UInt32]
        if let stage {
            guard plan.stages.indices.contains(stage), let next = plan.segment(after: plan.stages[stage]) else { throw CheckpointError("an unknown stage") }
            let bytes = ByteBuffer(capacity: 1 << 16)
            var frames: [Frame] = []
            let origins = try all { (reader) throws(CheckpointError) in
                let origin = try reader.small()
                let text = try reader.text()
                frames.append(Frame(start: UInt32(bytes.count), count: UInt32(text.count), lineDelta: 0))
                bytes.append(text)
                return origin
            }
            guard origins.allSatisfy({ $0 < batch.source.frames.count }) else { throw CheckpointError("a record is outside of its batch") }
            batch.rebase(onto: bytes, frames: frames, origins: origins, table: next.decoding.decode(frames, of: UnsafePointer(bytes.start)), in: next)
            rows = batch.rows
        } else {
            rows = try all { (reader) throws(CheckpointError) in try reader.small() }
            guard rows.allSatisfy({ $0 < batch.frames.count }) else { throw CheckpointError("a record is outside of its batch") }
        }
        for row in rows {
            let cells = batch.table.row(Int(row))
            for (column, cell) in try all({ (reader) throws(CheckpointError) in (try reader.integer(), try reader.cell(batch.scratch)) }) {
                guard column < batch.table.columns else { throw CheckpointError("an unknown column") }
                cells[column] = cell
            }
        }
        return rows
    }

    private mutating func cell(_ scratch: Scratch) throws(CheckpointError) -> Cell {
        if try integer() == 1 { return scratch.cell(of: try value()) }
        guard let cell = WrittenKey.cells(1, in: try text())?.first else { throw CheckpointError("an invalid value") }
        return cell.copied(to: scratch)
    }

    private mutating func deadLetter(
        of source: Batch, spill: (String) throws(CheckpointError) -> String
    ) throws(CheckpointError) -> DeadLetter {
        let (stage, failure, frame) = (try string(), try failure(), try integer())
        guard frame <= source.frames.count else { throw CheckpointError("a record is outside of its batch") }
        let record: RefusedRecord
        if var spilled = try optional({ (reader) throws(CheckpointError) in try reader.spilledRecord() }) {
            spilled.spill = try spill(spilled.spill)
            record = RefusedRecord(frame: frame, spilled: spilled)
        } else {
            record = RefusedRecord(
                frame: frame, spilled: nil, kept: KeptLetter(bytes: Array(try text()), file: source.name?.text, line: try amount()))
        }
        return DeadLetter(
            element: record, stage: stage, error: failure, attempts: failure.attempts, place: Place(part: source.input, index: frame))
    }

    private mutating func fate(places: Int) throws(CheckpointError) -> RecordBatch.Fate {
        guard let kind = RecordBatch.FateKind(rawValue: UInt8(truncatingIfNeeded: try integer())) else { throw CheckpointError("an unknown fate") }
        let (stage, frame, count) = (try small(), try small(), try small())
        guard stage < places else { throw CheckpointError("an unknown stage") }
        return RecordBatch.Fate(kind: kind, stage: UInt16(truncatingIfNeeded: stage), frame: frame, count: count)
    }

    private mutating func head() throws(CheckpointError) -> FileHead {
        let bytes = Data(try text())
        do {
            return try JSONDecoder().decode(FileHead.self, from: bytes)
        } catch {
            throw CheckpointError("an invalid head")
        }
    }

    private mutating func small() throws(CheckpointError) -> UInt32 {
        guard let number = UInt32(exactly: try number()) else { throw CheckpointError("a number is too large") }
        return number
    }
}
