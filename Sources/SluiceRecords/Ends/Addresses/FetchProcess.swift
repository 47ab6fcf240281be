// Unsafe code: calls of posix_spawn, read and write. Safe because every buffer passed is an array's
// own storage, or the caller's, for the duration of the call, and because one owner at a time uses
// the descriptors.

import FoundationEssentials
import Glibc
import Sluice
import Synchronization

/// What a ``FetchProcess`` is asked; see `fetch.py`.
struct FetchRequest: Encodable {
    enum Operation: String, Encodable { case list, stat, read }

    var op: Operation
    var name: String?
    var patterns: [String]?
    var names: [String]?
    var size: UInt64?
    var version: String?
    var offset: UInt64?
}

/// A child process that runs `fetch.py`. Serves one request at a time.
///
/// It ends when its standard input is closed, also in the middle of a request, and so with this
/// process. Signals from a terminal do not reach it, since this process may go on reading.
///
/// `@unchecked Sendable`: it has one owner at a time.
final class FetchProcess: @unchecked Sendable {
    enum Frame {
        /// This many bytes follow.
        case data(Int)
        /// The end of the answer, and why it is one before its time.
        case end(FetchFailure?)
    }

    private let number: pid_t
    private let input: Int32
    /// Where answers come from.
    let output: Int32
    private var hasEnded = false

    /// Reads the program from standard input, so that no file is needed for it, and no module of
    /// the current folder can come in its packages' way.
    private static let loader =
        "import sys;sys.path=[p for p in sys.path if p];exec(compile(sys.stdin.buffer.read(int(sys.argv[1])),'fetch.py','exec'))"
    /// A process that is started between the opening of a pipe and its flag would keep it open.
    private static let starting = Locked(())

    /// `F_SETPIPE_SZ`, which Glibc's module does not export.
    private static let setPipeSize: Int32 = 1031

    /// - Parameter address: what it is started for.
    init(for address: String) throws(InputError) {
        _ = WriteSignals.areErrors
        let environment = ProcessInfo.processInfo.environment
        let python = environment["SLUICE_PYTHON"] ?? environment["PYSPARK_PYTHON"] ?? "python3"
        let program = PackageResources.fetch_py
        let started = Self.starting.withLock { _ in Self.start([python, "-c", Self.loader, String(program.count)]) }
        switch started {
        case .success(let started): (number, input, output) = started
        case .failure(let error):
            let reason = "'\(python)' cannot be started: \(describe(error: error.number))"
            throw .fetch(address: address, reason: reason + "; install Python with fsspec, or name one that has it in SLUICE_PYTHON")
        }
        _ = write(program)
    }

    deinit { end() }

    private struct SystemError: Error { var number: Int32 }

    private static func start(_ words: [String]) -> Result<(pid_t, Int32, Int32), SystemError> {
        var (request, answer): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        guard pipe(&request) == 0 else { return .failure(SystemError(number: errno)) }
        guard pipe(&answer) == 0 else {
            let reason = errno
            for end in request { close(end) }
            return .failure(SystemError(number: reason))
        }
        for end in request + answer { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // More can be fetched while records are decoded.
        _ = fcntl(answer[0], setPipeSize, 1 << 20)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, request[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, answer[1], STDOUT_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        // A process group of its own: an interrupt from the terminal is not for it.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var number = pid_t()
        let failure = posix_spawnp(&number, words[0], &actions, &attributes, &arguments, environ)
        for argument in arguments { free(argument) }
        posix_spawnattr_destroy(&attributes)
        posix_spawn_file_actions_destroy(&actions)
        for end in [request[0], answer[1]] { close(end) }
        guard failure == 0 else {
            for end in [request[1], answer[0]] { close(end) }
            return .failure(SystemError(number: failure))
        }
        return .success((number, request[1], answer[0]))
    }

    /// Ends the process, whatever it does.
    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        close(input)
        close(output)
        kill(-number, SIGKILL)
        while waitpid(number, nil, 0) < 0, errno == EINTR {}
    }

    /// - Returns: false if the process has ended.
    func send(_ request: FetchRequest) -> Bool {
        do {
            return write(Array(try JSONEncoder().encode(request)) + [UInt8(ascii: "\n")])
        } catch {
            preconditionFailure("a request of texts and numbers can be encoded")
        }
    }

    private func write(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBufferPointer { writeAll($0, to: input) } == nil }

    /// - Returns: `nil` if the process has ended.
    func nextFrame() -> Frame? {
        guard let header = bytes(5) else { return nil }
        let count = header[1...].reduce(0) { $0 << 8 | Int($1) }
        guard header[0] == UInt8(ascii: "E") else { return .data(count) }
        guard let bytes = bytes(count) else { return nil }
        do {
            let end = try JSONDecoder().decode(FetchedObject.self, from: Data(bytes))
            return .end(end.failure)
        } catch {
            return nil
        }
    }

    /// The next bytes of an answer; `nil` if the process has ended.
    func bytes(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let step = bytes.withUnsafeMutableBytes { read(into: UnsafeMutableRawBufferPointer(rebasing: $0[done...])) }
            guard step > 0 else { return nil }
            done += step
        }
        return bytes
    }

    func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = Glibc.read(output, memory.baseAddress, memory.count)
            if count >= 0 || errno != EINTR { return count }
        }
    }
}

/// Why an object cannot be fetched.
struct FetchFailure: Equatable {
    var kind: String
    var reason: String

    static let processEnded = FetchFailure(kind: "failed", reason: "the Python process that fetches it has ended unexpectedly")

    func error(of address: String) -> InputError {
        switch kind {
        case "missing": .missing(path: address)
        case "folder": .folder(path: address)
        default: .fetch(address: address, reason: reason, mayPass: kind == "failed")
        }
    }
}

/// A line of an answer.
struct FetchedObject: Decodable {
    var name: String?
    var size: UInt64?
    var version: String?
    private var kind: String?
    private var reason: String?

    var failure: FetchFailure? { kind.map { FetchFailure(kind: $0, reason: reason ?? "") } }
}
