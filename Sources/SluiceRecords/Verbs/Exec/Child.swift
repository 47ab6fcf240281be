import Subprocess
import SystemPackage

/// One child process as the loop's thread sees it. Confined to that thread.
final class Child {
    typealias Running = Execution<FileDescriptorInput, FileDescriptorOutput, FileDescriptorOutput>

    let id: Int
    var rules: ChildProtocol
    var pipes: ChildPipes
    var question: Question?
    var askedAt: ContinuousClock.Instant
    var errors = ErrorTail()
    /// It was asked to leave: not one to be replaced.
    var isSentAway = false
    /// There from the start to the exit: in between the process is certain not to be reaped, so
    /// that its identifier is its own.
    var process: (running: Running, mayBeReaped: AsyncStream<Never>.Continuation)?

    init(id: Int, question: Question, bounds: ChildProtocol.Bounds, pipes: ChildPipes, now: ContinuousClock.Instant) {
        self.id = id
        self.pipes = pipes
        self.question = question
        askedAt = now
        rules = ChildProtocol(asking: question.line, bounds: bounds)
    }

    /// Signals the child and all it has started, as far as they stayed in its process group.
    func signal(_ signal: Signal) {
        // An error means that the child is gone already, which is what was asked for.
        do { try process?.running.send(signal: signal, toProcessGroup: true) } catch {}
    }
}

/// Starts the command, tells `loop` that it runs, and stays until it has ended and `loop` lets it
/// be reaped.
func runChild(_ id: Int, command: [String], ends: ChildPipes.Ends, loop: ChildLoop) async {
    var options = PlatformOptions()
    // A group of its own: a kill reaches what the child has started, and Ctrl-C in a terminal
    // reaches us but not the child, which has records to finish while we drain.
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

/// A record on its way to a child and the one who waits for the answer.
struct Question: Sendable {
    typealias Reply = Result<[UInt8], ChildFailure>

    /// With its line feed.
    let line: [UInt8]
    let ticket: Ticket
    let reply: CheckedContinuation<Reply, Never>
    var mustBeFresh = false
}

/// What a child says on its standard error: the last of it, for messages, and whole lines, to pass
/// on.
struct ErrorTail {
    static let kept = 1024

    private(set) var tail: [UInt8] = []
    private var line: [UInt8] = []

    /// - Returns: the lines that are complete.
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

    /// The last line, where it has no line feed.
    mutating func rest() -> [String] {
        defer { line.removeAll(keepingCapacity: true) }
        return line.isEmpty ? [] : [String(decoding: line, as: UTF8.self)]
    }

    mutating func forget() {
        tail.removeAll(keepingCapacity: true)
    }

    /// The tail as text, cut where a line begins if it was cut.
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
