import FoundationEssentials
import Glibc

/// A file of a plan that is being written, through a buffer, under a name of its own: another
/// process may be making the same plan. One owner at a time.
final class PlanPart {
    private let path: String
    private let beside: String
    private let descriptor: Int32
    private let waiting = ByteBuffer(capacity: PlanPart.most)
    private(set) var byteCount = 0

    /// How many bytes wait to be written together.
    private static let most = 256 << 10

    init(_ path: String) throws(OutputError) {
        self.path = path
        beside = PlanFolder.name(beside: path)
        descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .failed(path, "cannot be created", errno) }
    }

    deinit {
        close(descriptor)
        unlink(beside)
    }

    func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(OutputError) {
        waiting.append(bytes)
        byteCount += bytes.count
        if waiting.count >= Self.most { try writeWaiting() }
    }

    /// Writes eight bytes, little endian.
    func write(_ number: UInt64) throws(OutputError) {
        for place in 0..<8 { waiting.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(place)))) }
        byteCount += 8
        if waiting.count >= Self.most { try writeWaiting() }
    }

    private func writeWaiting() throws(OutputError) {
        if let failure = waiting.withFilled({ writeAll($0, to: descriptor) }) { throw .failed(path, "cannot be written", failure) }
        waiting.count = 0
    }

    /// Writes what waits, makes everything durable, and gives the file its name.
    func finish() throws(OutputError) {
        try writeWaiting()
        guard fsync(descriptor) == 0, rename(beside, path) == 0 else { throw .failed(path, "cannot be written", errno) }
    }
}

/// Reads lines of a plan: a task needs one, gathering all of them. One owner at a time.
final class PlanLines {
    private let lines: Int32
    private let index: Int32
    private let decoder = JSONDecoder()
    /// The number of tasks.
    let count: Int
    /// The size of all lines.
    let byteCount: Int

    init(_ folder: PlanFolder) throws(RunError) {
        lines = open(folder.linesPath, O_RDONLY | O_CLOEXEC)
        index = open(folder.indexPath, O_RDONLY | O_CLOEXEC)
        var (ofLines, ofIndex) = (stat(), stat())
        let isThere = lines >= 0 && index >= 0 && fstat(lines, &ofLines) == 0 && fstat(index, &ofIndex) == 0
        (count, byteCount) = (Int(ofIndex.st_size) / 8 - 1, Int(ofLines.st_size))
        guard isThere else { throw folder.unreadable }
    }

    deinit {
        close(lines)
        close(index)
    }

    /// What a task reads; `nil` if it cannot be read.
    subscript(task: Int) -> TaskInputs? {
        guard (0..<max(0, count)).contains(task), let places = Self.read(index, at: task * 8, count: 16) else { return nil }
        let (start, end) = (Self.number(places[..<8]), Self.number(places[8...]))
        guard start <= end, end <= UInt64(byteCount), let line = Self.read(lines, at: Int(start), count: Int(end - start)) else { return nil }
        do {
            let inputs = try decoder.decode(TaskInputs.self, from: Data(line))
            return inputs.task == task && inputs.isPossible ? inputs : nil
        } catch {
            return nil
        }
    }

    private static func read(_ descriptor: Int32, at place: Int, count: Int) -> [UInt8]? {
        var done = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
            while done < count {
                let step = pread(descriptor, bytes.baseAddress.map { $0 + done }, count - done, off_t(place + done))
                guard step > 0 else { break }
                done += step
            }
            filled = done
        }
        return done == count ? bytes : nil
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}
