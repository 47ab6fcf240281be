import Glibc
import Synchronization

/// The resources of a stage that holds much state: an amount of memory, and a folder to spill to.
package struct StageRoom: Sendable {
    /// In bytes, for all workers of the stage together.
    package var memory: Int
    /// The folder for spill files.
    package var folder: String
    /// `nil` if failures are only counted when a batch is committed.
    var deadLetters: DeadLetterLimit?

    package init(memory: Int, folder: String) {
        self.memory = memory
        self.folder = folder
    }

    /// The resources of each stage that holds much state: these stages share half of the memory
    /// limit; the other half is for batches in flight.
    init(_ pipeline: RecordPipeline, folder: String) {
        self.init(memory: pipeline.limits.memory / 2 / max(1, pipeline.flow.allStages.count { $0.verb.keepsMuch }), folder: folder)
        // If a stage may end the run early, failures after its last record don't count.
        guard case .count(let most)? = pipeline.limits.deadLetters, !pipeline.flow.stages.contains(where: \.mayHaveEnough) else { return }
        deadLetters = DeadLetterLimit(most: most)
    }

    /// The default without a run.
    package static let standard = StageRoom(memory: 128 << 20, folder: "/tmp")
}

/// A spill file. It is unlinked right after it was created, so that nothing remains however the run
/// ends.
///
/// Written by one thread at a time; read at any position by any number of threads.
final class RoomFile: Sendable {
    private let descriptor: Int32
    private let folder: String
    private let end = Atomic<Int>(0)

    init(in folder: String) throws(RunError) {
        self.folder = folder
        let path = "\(folder)/.sluice-\(UInt64.random(in: .min ... .max)).room"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .room(folder: folder, reason: describe(error: errno)) }
        unlink(path)
    }

    deinit {
        close(descriptor)
    }

    var count: Int { end.load(ordering: .relaxed) }

    func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(RunError) {
        if let failure = writeAll(bytes, to: descriptor) { throw .room(folder: folder, reason: describe(error: failure)) }
        end.add(bytes.count, ordering: .relaxed)
    }

    /// Reads from a position until `room` is full or the file ends.
    ///
    /// - Returns: the number of bytes read.
    func read(at place: Int, into start: UnsafeMutablePointer<UInt8>, room: Int) throws(RunError) -> Int {
        var done = 0
        while done < room {
            let count = pread(descriptor, start + done, room - done, off_t(place + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw .room(folder: folder, reason: describe(error: errno))
            }
            if count == 0 { break }
            done += count
        }
        return done
    }
}
