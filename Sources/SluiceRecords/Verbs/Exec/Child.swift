import Subprocess
import SystemPackage

/// A child process. Confined to the thread of its loop.
final class Child {
    typealias Running = Execution<FileDescriptorInput, FileDescriptorOutput, FileDescriptorOutput>

    let id: Int
    var rules: ChildProtocol
    var pipes: ChildPipes
    var question: Question?
    var askedAt: ContinuousClock.Instant
    var errors = ErrorTail()
    /// Whether it was asked to exit, so that it need not be replaced.
    var isDismissed = false
    /// Set from start to exit. In between, the process cannot be reaped, so that its identifier is
    /// not reused.
    var process: (running: Running, mayBeReaped: AsyncStream<Never>.Continuation)?

    init(id: Int, question: Question, bounds: ChildProtocol.Bounds, pipes: ChildPipes, now: ContinuousClock.Instant) {
        self.id = id
        self.pipes = pipes
        self.question = question
        askedAt = now
        rules = ChildProtocol(asking: question.line, bounds: bounds)
    }

    /// Signals the child and every process it has started that is still in its process group.
    func signal(_ signal: Signal) {
        // An error means that the child is gone, which is the goal.
        do { try process?.running.send(signal: signal, toProcessGroup: true) } catch {}
    }
}

/// Starts the command, tells `loop` that it runs, and returns once it has exited and `loop` has
/// allowed it to be reaped.
func runChild(_ id: Int, command: [String], ends: ChildPipes.Ends, loop: ChildLoop) async {
    var options = PlatformOptions()
    // A process group of its own, so that signals reach the processes that the child has started,
    // and Ctrl-C in a terminal does not reach the child, which must finish its records while the
    // run drains.
    options.processGroupID = 0
    let name = command.first ?? ""
    do {
        let result = try await Subprocess.run(
            name.contains("/") ? .path(FilePath(name)) : .name(name),
            arguments: Subprocess.Arguments(Array(command.dropFirst())),
            platformOptions: options,
            input: .fileDescriptor(ends.input, closeAfterSpawningProcess: true),
            output: .fileDescriptor(ends.output, closeAfterSpawningProcess: true),
            error: .fileDescriptor(ends.error, closeAfterSpawningProcess: true)
        ) { running in
            let (reaping, mayBeReaped) = AsyncStream<Never>.makeStream()
            loop.send(.started(child: id, running, mayBeReaped: mayBeReaped))
            for await _ in reaping {}
        }
        let status = result.terminationStatus
        loop.send(.ended(child: id, wasSuccess: status.isSuccess, words: status.inWords))
    } catch {
        let reason = (error as? SubprocessError)?.underlyingError.map { "\($0)" } ?? "\(error)"
        loop.send(.spawnFailed(child: id, "cannot start '\(name)': \(reason)"))
    }
}

/// A record that is sent to a child, and the task that waits for the answer.
struct Question: Sendable {
    typealias Reply = Result<[UInt8], ChildFailure>

    /// Including the line feed.
    let line: [UInt8]
    let ticket: Ticket
    let reply: CheckedContinuation<Reply, Never>
    var mustBeFresh = false
}

/// The standard error of a child: its end, for messages, and whole lines, to pass on.
struct ErrorTail {
    static let kept = 1024

    private(set) var tail: [UInt8] = []
    private var line: [UInt8] = []

    /// - Returns: the completed lines.
    mutating func append(_ bytes: ArraySlice<UInt8>) -> [String] {
        tail.append(contentsOf: bytes.suffix(Self.kept))
        tail.removeFirst(max(0, tail.count - Self.kept))
        var lines: [String] = []
        for byte in bytes {
            if byte != UInt8(ascii: "\n") { line.append(byte) }
            guard byte == UInt8(ascii: "\n") || line.count >= 4 * Self.kept else { continue }
            lines += rest()
        }
        return lines
    }

    /// The last line, if it has no line feed.
    mutating func rest() -> [String] {
        defer { line.removeAll(keepingCapacity: true) }
        return line.isEmpty ? [] : [String(decoding: line, as: UTF8.self)]
    }

    mutating func forget() {
        tail.removeAll(keepingCapacity: true)
    }

    /// The tail as text. If it was cut, it begins with a whole line.
    var text: String {
        var shown = tail[...]
        if shown.count == Self.kept, let end = shown.firstIndex(of: UInt8(ascii: "\n")), end < shown.endIndex - 1 {
            shown = shown[(end + 1)...]
        }
        let isSpace: (UInt8) -> Bool = { $0 <= UInt8(ascii: " ") }
        while let last = shown.last, isSpace(last) { shown.removeLast() }
        while let first = shown.first, isSpace(first) { shown.removeFirst() }
        return String(decoding: shown, as: UTF8.self)
    }
}

extension TerminationStatus {
    /// `exited with status 3`, `killed by signal 9 (SIGKILL)`.
    var inWords: String {
        switch self {
        case .exited(let code): "exited with status \(code)"
        case .signaled(let signal): "killed by signal \(signal)\(Self.names[signal].map { " (\($0))" } ?? "")"
        }
    }

    private static let names: [CInt: String] = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV",
        13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
    ]
}
