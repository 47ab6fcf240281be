import Glibc
import Synchronization

/// What a stage with much to keep may use: so much memory, and files for the rest.
package struct StageRoom: Sendable {
    /// Bytes, for all workers of the stage together.
    package var memory: Int
    /// Where the files are.
    package var folder: String

    package init(memory: Int, folder: String) {
        self.memory = memory
        self.folder = folder
    }

    /// Of each stage that keeps much: they share half of the memory; the other half is for batches on
    /// their way.
    init(_ pipeline: RecordPipeline, folder: String) {
        self.init(memory: pipeline.limits.memory / 2 / max(1, pipeline.flow.allStages.count { $0.verb.keepsMuch }), folder: folder)
    }

    /// Where no run says anything else.
    package static let standard = StageRoom(memory: 128 << 20, folder: "/tmp")
}

/// A file for what does not fit into memory. It has no name from the beginning on, so that nothing
/// is left of it however the run ends.
///
/// Written by one thread at a time; read from any place by any number.
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

    /// Reads from a place until `room` is full or the file ends.
    ///
    /// - Returns: how many bytes.
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
