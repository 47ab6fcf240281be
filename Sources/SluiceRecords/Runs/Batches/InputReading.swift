import Glibc
import Sluice
import Synchronization
import WorkerPools

/// The inputs of a run as parts of a pipeline, one reader per input, several of them open at a
/// time.
final class InputReading: Sendable {
    let buffers: BufferPool
    /// The number of inputs that are read at the same time.
    let readers: Int
    /// The most memory, in bytes, that batches between reading and committing may take.
    let window: Int
    /// The number of records that a batch may have.
    private let mostRecords: Int
    /// The size from which on a batch is cut.
    private let batchBytes: Int
    let source: SourceSettings
    private let spillFolder: String
    private let summarized: Locked<[InputSummary?]>
    /// See ``InputStamp/ends``; `nil` for an input that was not opened.
    private let ends: Locked<[DigestText??]>
    private let allowance: Locked<Allowance>
    private let longRecords: LongRecords
    /// The spill files of records over the size limit.
    private let spills = Locked<[String]>([])

    /// The position at which an unfinished run is resumed.
    private let resumed: (cut: Checkpoint.Cut, reader: ReaderState?)?
    private let stop: ReadingStop
    /// The first input, if a sample was taken of it and it can only be read once.
    private let begun = Locked<Begun?>(nil)
    /// The members of the first input that are not sound, once they were looked for.
    private let unsoundOfFirst = Locked<UnsoundMembers?>(nil)
    private let mostBlocksAhead: Int
    /// The number of workers that read no input.
    private let idleWorkers: Atomic<Int>
    /// Told of what is read.
    private let deadLetterLimit: DeadLetterLimit?
    private let inputsLeft: Atomic<Int>

    /// An input that was read up to its first records.
    private struct Begun {
        let reader: any InputReader
        let bytes: any InputBytes
        /// What was read.
        let batches: [Batch]
    }

    private struct Allowance {
        /// The number of records that may still be read.
        var left: Int
        /// Inputs that have more records than the limit allowed to read.
        var cutShort: Set<Int> = []
    }

    /// - Parameter isRead: whether tasks have read the inputs, so that there is nothing to note of
    ///   them.
    init(
        _ source: SourceSettings, memory: Int, mostRecords: Int = .max, options: RunOptions, resuming checkpoint: Checkpoint? = nil,
        isRead: Bool = false, stop: ReadingStop = ReadingStop(), deadLetterLimit: DeadLetterLimit? = nil
    ) {
        self.mostRecords = mostRecords
        self.deadLetterLimit = deadLetterLimit
        inputsLeft = Atomic(source.inputs.count)
        self.source = source
        mostBlocksAhead = max(2, min(2 * options.workers, memory / (16 << 20)))
        idleWorkers = Atomic(options.workers)
        self.stop = stop
        resumed = checkpoint.map { ($0.cut, $0.reader) }
        spillFolder = options.state + "/\(StateFolder.spill)"
        window = min(memory / 4, (48 << 20) + options.workers * (24 << 20))
        let most = source.inputs.contains { Address.isAddress($0.path) } ? min(options.workers, Self.mostFetched) : options.workers
        readers = options.limit == nil ? min(most, max(1, source.inputs.count)) : 1
        batchBytes = Batch.targetBytes(within: memory)
        buffers = BufferPool(capacity: batchBytes + 4096, most: 8 * options.workers + 8)
        let known = checkpoint?.summaries ?? []
        let count = isRead ? 0 : source.inputs.count
        summarized = Locked((0..<count).map { $0 < known.count ? known[$0] : nil })
        ends = Locked(Array(repeating: nil, count: count))
        allowance = Locked(Allowance(left: options.limit ?? .max))
        longRecords = LongRecords(most: memory / 4, room: source.maxRecord)
    }

    /// Each is fetched by a process of some 80 MB.
    private static let mostFetched = 16

    /// A summary of each input; `nil` for one that was not read to its end.
    var summaries: [InputSummary?] { summarized.withLock { $0 } }

    /// The digest of the input's first and last bytes, for the report; `nil` if it is not a regular
    /// file.
    func ends(of index: Int) -> DigestText? {
        if let known = ends.withLock({ $0[index] }) { return known }
        return InputStamp(source.inputs[index]).flatMap { $0.version == nil ? DigestText($0.ends) : nil }
    }

    /// - Parameters:
    ///   - threads: may inflate blocks of an input before they are read, if there are fewer inputs
    ///     to read than threads.
    ///   - mayEnd: whether reading may end in the middle of an input. How much of it is compressed
    ///     text that was read must not depend on the threads then.
    func parts(on threads: ThreadExecutor, mayEnd: Bool) -> [Part<Batch>] {
        let helpers = BlocksAhead.Helpers(
            count: { self.idleWorkers.load(ordering: .relaxed) }, run: { job in Task(executorPreference: threads) { job() } }, mostBlocks: mostBlocksAhead)
        let allowed = mayEnd ? nil : helpers
        return source.inputs.indices.map { index in
            Part {
                let reading = LongRecords.Reading(index, of: self.longRecords)
                if let resumed = self.resumed, index < resumed.cut.input {
                    self.inputEnded()
                    return { nil }
                }
                let begun = index == 0 ? self.takeBegun() : nil
                let continued = try self.open(index, helpers: allowed, after: self.beginning(of: index))
                if index == 0, self.source.start != nil, continued == nil {
                    throw InputError.unreadable(path: self.source.inputs[index].path, reason: "it cannot be read from where the task's piece of it begins")
                }
                let (reader, bytes) = try continued ?? begun.map { ($0.reader, $0.bytes) } ?? self.open(index, helpers: allowed)
                var ready = begun?.batches[...] ?? []
                let letters = try self.source.replay.map { try LetterReader(reader, $0, buffers: self.buffers, self.makeConfiguration(helpers: nil)) }
                if let cut = self.resumed?.cut, index == cut.input, continued == nil { try reader.skip(cut.batches, returningTo: self.buffers) }
                reader.asksForRoom = letters == nil
                let end = index + 1 == self.source.inputs.count ? self.source.end : nil
                var isAtEnd = false
                return {
                    let next: () throws -> Batch? = { try isAtEnd ? nil : ready.popFirst() ?? (letters.map { try $0.next() } ?? reader.next()) }
                    var read = Result { try next() }
                    var room: LongRecords.Room?
                    while case .success(.none) = read, reader.needsRoom, !self.stop.isStopped {
                        room = await reading.room()
                        if room == nil { break }
                        reader.takeRoom()
                        read = Result { try next() }
                    }
                    // What was read last may have been cut short.
                    if self.stop.isStopped || (reader.needsRoom && room == nil) {
                        self.close(reader, bytes)
                        throw CancellationError()
                    }
                    if let batch = try read.get() {
                        batch.inputsBefore = self.source.inputsBefore
                        batch.room = room
                        isAtEnd = batch.number + 1 == end
                        self.deadLetterLimit?.read(batch.frames.count + batch.spilled.count + batch.faults.count)
                        if let kept = batch.replayed?.spills { self.spills.withLock { $0 += kept } }
                        if !batch.spilled.isEmpty { self.spills.withLock { $0 += batch.spilled.map(\.spill) } }
                        return self.cut(batch) { self.close(reader, bytes) }
                    }
                    let isWhole = self.allowance.withLock { !$0.cutShort.contains(index) }
                    if isWhole { self.summarized.withLock { $0[index] = reader.summary } }
                    self.close(reader, bytes)
                    self.inputEnded()
                    return nil
                }
            }
        }
    }

    private func inputEnded() {
        if inputsLeft.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { deadLetterLimit?.endReading() }
    }

    /// Where to begin to read an input; `nil`: at its beginning, or it is not known.
    private func beginning(of index: Int) -> ReaderState? {
        if index == 0, let start = source.start { return start.state }
        return resumed.flatMap { index == $0.cut.input ? $0.reader : nil }
    }

    /// A part for each input, without batches.
    var emptyParts: [Part<Batch>] { source.inputs.map { _ in Part { { nil } } } }

    /// The first records of the first input. What can only be read once, such as standard input,
    /// stays open, and reading goes on after them.
    func sample() throws(InputError) -> Batch? {
        guard !source.inputs.isEmpty else { return nil }
        let (reader, bytes) = try open(0, asSample: true)
        var batches: [Batch] = []
        do throws(InputError) {
            while batches.last?.frames.isEmpty != false, let batch = try reader.next() { batches.append(batch) }
        } catch {
            close(reader, bytes)
            throw error
        }
        if bytes.size == nil || source.inputs[0].isStandardInput {
            reader.batchBytes = batchBytes
            begun.withLock { $0 = Begun(reader: reader, bytes: bytes, batches: batches) }
        } else {
            for record in batches.flatMap(\.spilled) { unlink(record.spill) }
            close(reader, bytes)
        }
        return batches.last { !$0.frames.isEmpty }
    }

    private func takeBegun() -> Begun? {
        begun.withLock { begun in
            defer { begun = nil }
            return begun
        }
    }

    /// Deletes the spill files that no dead letter was written for. To be called once reading is
    /// done.
    func removeSpills(keeping kept: Set<String> = []) {
        let paths = spills.withLock { $0 }.filter { !kept.contains($0) }
        for path in paths { unlink(path) }
        if !paths.isEmpty { rmdir(spillFolder) }
    }

    /// - Parameter asSample: whether it is opened for its first batch, which then has as many
    ///   records as any, if it can be opened again.
    private func open(_ index: Int, helpers: BlocksAhead.Helpers? = nil, asSample: Bool = false) throws(InputError) -> (any InputReader, any InputBytes) {
        var configuration = makeConfiguration(helpers: helpers)
        let file = source.inputs[index]
        if let replay = source.replay {
            let bytes = try openBytes(of: file)
            return (try BatchReader(file, of: bytes, index: index, configuration: replay.reading(configuration), buffers: buffers), bytes)
        }
        configuration.read(as: source)
        var unsound = UnsoundMembers()
        if index == 0, let known = unsoundOfFirst.withLock({ $0 }) {
            unsound = known
        } else if source.onDamage == .setAside {
            let bytes = try openBytes(of: file)
            defer {
                stop.remove(bytes)
                idleWorkers.add(1, ordering: .relaxed)
            }
            guard bytes.size != nil, !file.isStandardInput else { throw .readOnce(path: file.path) }
            unsound = try configuration.unsoundMembers(of: file, in: bytes, as: source.archive)
            if index == 0 { unsoundOfFirst.withLock { [unsound] in $0 = unsound } }
        }
        let bytes = try openBytes(of: file)
        if asSample { configuration.batchBytes = Batch.targetBytes }
        if asSample, bytes.size != nil, !file.isStandardInput { configuration.mostRecords = .max }
        noteEnds(of: index, bytes)
        return (try configuration.reader(of: file, in: bytes, as: source.archive, index: index, buffers: buffers, unsound: unsound), bytes)
    }

    /// Opens an input of an unfinished run where it was left.
    ///
    /// - Returns: `nil` if it must be read again from its beginning.
    private func open(_ index: Int, helpers: BlocksAhead.Helpers?, after state: ReaderState?) throws(InputError) -> (any InputReader, any InputBytes)? {
        guard let state, source.replay == nil, source.archive == nil else { return nil }
        var configuration = makeConfiguration(helpers: helpers)
        configuration.read(as: source)
        let file = source.inputs[index]
        let bytes = try openBytes(of: file, at: state.point.windowStart)
        guard let reader = BatchReader(file, of: bytes, index: index, configuration: configuration, buffers: buffers, after: state) else {
            bytes.close()
            forget(bytes)
            return nil
        }
        noteEnds(of: index, bytes)
        return (reader, bytes)
    }

    private func makeConfiguration(helpers: BlocksAhead.Helpers?) -> BatchReader.Configuration {
        var configuration = BatchReader.Configuration(spillFolder: spillFolder)
        configuration.helpers = helpers
        configuration.mostRecords = mostRecords
        configuration.batchBytes = batchBytes
        return configuration
    }

    private func noteEnds(of index: Int, _ bytes: any InputBytes) {
        let ends = InputStamp.ends(of: bytes).map { DigestText($0) }
        self.ends.withLock { known in
            if known.indices.contains(index) { known[index] = .some(ends) }
        }
    }

    private func close(_ reader: any InputReader, _ bytes: any InputBytes) {
        reader.close()
        forget(bytes)
    }

    private func forget(_ bytes: any InputBytes) {
        stop.remove(bytes)
        idleWorkers.add(1, ordering: .relaxed)
    }

    private func openBytes(of file: InputFile, at offset: UInt64 = 0) throws(InputError) -> any InputBytes {
        let bytes = try source.source.open(file, at: offset)
        stop.add(bytes)
        idleWorkers.subtract(1, ordering: .relaxed)
        return bytes
    }

    /// The batch, cut to what is left of the run's limit; `nil` once nothing is left.
    private func cut(_ batch: Batch, _ close: () -> Void) -> Batch? {
        allowance.withLock { allowance -> Batch? in
            if batch.frames.count + batch.spilled.count > allowance.left { allowance.cutShort.insert(batch.input) }
            guard allowance.left > 0 else {
                close()
                return nil
            }
            batch.keepFirst(allowance.left)
            allowance.left -= batch.frames.count + batch.spilled.count
            return batch
        }
    }
}

extension BatchReader.Configuration {
    mutating func read(as source: SourceSettings) {
        bound()
        onDamage = source.onDamage
        maxRecord = source.maxRecord
        encoding = source.encoding
        framing = source.framing
    }
}

extension Batch {
    /// Removes all records but the first `count`.
    func keepFirst(_ count: Int) {
        guard frames.count + spilled.count > count else { return }
        var kept = 0
        var long = 0
        while kept + long < count {
            if long < spilled.count, spilled[long].beforeFrame <= kept { long += 1 } else { kept += 1 }
        }
        frames.removeSubrange(kept...)
        spilled.removeSubrange(long...)
        members.removeAll { $0.firstFrame >= kept }
    }
}
