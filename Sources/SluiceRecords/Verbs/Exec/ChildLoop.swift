import Sluice
import Synchronization
import SystemPackage
import WorkerPools

/// The thread that communicates with all children of a stage, and its interface for other threads.
///
/// It uses a thread and `poll` rather than asynchronous reads, because only this can tell what a
/// child had written *before* it was asked: the thread checks the child's output right before it
/// writes a record, and anything found there is not the answer to that record.
final class ChildLoop: Sendable {
    struct Configuration: Sendable {
        /// The prefix for lines of the children's standard error.
        var name: String
        var command: [String]
        /// The limit of children, including those that are being killed, until it is changed.
        var limit: Int
        var bounds = ChildProtocol.Bounds()
        /// The time after which silence is reported, if no child has ever answered; and after which
        /// a drain gives up what children without a timeout were asked.
        var patience = Duration.seconds(5)
        /// Called with each line of the children's standard error, on the loop's thread.
        var log: @Sendable (String) -> Void
    }

    enum Command {
        case ask(Question)
        case giveUp(Ticket)
        case keep(Int)
        case limit(Int)
        /// No child is asked any more.
        case drain
        case started(child: Int, Child.Running, mayBeReaped: AsyncStream<Never>.Continuation)
        case ended(child: Int, wasSuccess: Bool, words: String)
        case spawnFailed(child: Int, String)
        case close(patience: Duration, done: CheckedContinuation<Void, Never>?)
    }

    private enum Inbox {
        case notStarted
        case running([Command], wake: FileDescriptor)
        case closed
    }

    let configuration: Configuration
    let counts = Locked(ChildCounts())
    private let inbox = Locked(Inbox.notStarted)

    init(_ configuration: Configuration) {
        self.configuration = configuration
        _ = WriteSignals.areErrors
    }

    /// Asks a child and waits for its answer. A cancelled task gives up at once, and the child that
    /// it had asked is terminated.
    ///
    /// - Parameter line: the record, without a line feed.
    func ask(_ line: [UInt8]) async -> Question.Reply {
        let ticket = Ticket()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { reply in
                let question = Question(line: line + [UInt8(ascii: "\n")], ticket: ticket, reply: reply)
                if let failure = send(.ask(question)) { reply.resume(returning: .failure(failure)) }
            }
        } onCancel: {
            ticket.giveUp()
            send(.giveUp(ticket))
        }
    }

    /// Dismisses idle children until `count` are left.
    func keep(_ count: Int) {
        send(.keep(count))
    }

    /// Changes the limit of children. Those that are too many are dismissed once they have
    /// answered.
    func limit(to count: Int) {
        send(.limit(count))
    }

    /// Lets no further question be asked; those that were asked go on.
    func drain() {
        send(.drain)
    }

    /// Closes the children's inputs and waits until all have exited. Those that are still running
    /// after `patience` are killed, and the records they were asked fail.
    func close(within patience: Duration) async {
        await withCheckedContinuation { done in
            let isClosed = inbox.withLock { inbox in
                switch inbox {
                case .notStarted:
                    inbox = .closed
                    return true
                case .closed: return true
                case .running: return false
                }
            }
            if isClosed || send(.close(patience: patience, done: done)) != nil { done.resume() }
        }
    }

    /// Terminates all children without waiting.
    func abandon() {
        let isRunning = inbox.withLock { if case .running = $0 { true } else { false } }
        if isRunning { send(.close(patience: .zero, done: nil)) }
    }

    /// - Returns: why the command was not accepted; `nil` if it was.
    @discardableResult
    func send(_ command: Command) -> ChildFailure? {
        inbox.withLock { inbox in
            switch inbox {
            case .closed:
                return ChildFailure(code: .cancelled, message: "the children have been shut down")
            case .notStarted:
                if case .drain = command { inbox = .closed }
                guard case .ask = command else { return nil }
                do throws(Errno) {
                    inbox = .running([command], wake: try start())
                    return nil
                } catch {
                    return ChildFailure(code: .spawn, message: "cannot start the thread that serves the children: \(error)")
                }
            case .running(let commands, let wake):
                inbox = .closed  // so that the array has one owner and grows in place
                var commands = commands
                // One byte is enough for several commands: the thread takes all of them when it
                // wakes. If the pipe is full, it wakes anyway.
                if commands.isEmpty { _ = wake.writeAvailable([1]) }
                commands.append(command)
                inbox = .running(commands, wake: wake)
                return nil
            }
        }
    }

    /// Starts the thread, unless it runs already.
    ///
    /// - Throws: if the system refuses it.
    func begin() throws(Errno) {
        try inbox.withLock { (inbox) throws(Errno) in
            if case .notStarted = inbox { inbox = .running([], wake: try start()) }
        }
    }

    private func start() throws(Errno) -> FileDescriptor {
        let wake = try ChildPipes.pipe()
        for end in wake { try ChildPipes.setNonBlocking(end) }
        do throws(SystemThread.Refused) {
            try SystemThread { [self] in
                ChildTable(loop: self, wake: wake[0]).run()
                ChildPipes.close(wake[0])
            }.detach()
        } catch {
            wake.forEach(ChildPipes.close)
            throw Errno(rawValue: error.code)
        }
        return wake[1]
    }

    func takeCommands() -> [Command] {
        inbox.withLock { inbox in
            guard case .running(let commands, let wake) = inbox else { return [] }
            inbox = .running([], wake: wake)
            return commands
        }
    }

    /// - Returns: false if another command has arrived; if true, no further one is accepted.
    func closeInbox() -> Bool {
        inbox.withLock { inbox in
            guard case .running(let commands, let wake) = inbox, commands.isEmpty else { return false }
            ChildPipes.close(wake)
            inbox = .closed
            return true
        }
    }
}

/// Tells that a question no longer needs an answer.
final class Ticket: Sendable {
    private let flag = Atomic(false)

    var isGivenUp: Bool { flag.load(ordering: .acquiring) }
    func giveUp() { flag.store(true, ordering: .releasing) }
}

struct ChildCounts: Sendable {
    var timeouts = 0
    var breaches = 0
    /// Children started to replace one that exited without being asked to.
    var restarts = 0
    var busy = Duration.zero
    var living = 0
    var peak = 0
}
