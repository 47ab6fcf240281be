import Sluice
import Synchronization
import SystemPackage

/// One thread that talks to all children of a stage, and the way to it from everywhere else.
///
/// A thread and `poll` rather than asynchronous reads, because only so can it be said what a child
/// had written *before* it was asked: the thread looks into the child's output right before it
/// writes a record, and whatever is there is not that record's answer.
final class ChildLoop: Sendable {
    struct Configuration: Sendable {
        /// For the lines of the children's standard error.
        var name: String
        var command: [String]
        /// Children at once, those that are being killed included.
        var limit: Int
        var bounds = ChildProtocol.Bounds()
        /// Takes each line of the children's standard error. Called on the loop's thread.
        var log: @Sendable (String) -> Void
    }

    enum Command {
        case ask(Question)
        case giveUp(Ticket)
        case keep(Int)
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

    /// Asks a child and waits for its answer. A task that is cancelled gives up at once; the child
    /// it had asked is ended.
    ///
    /// - Parameter line: without its line feed.
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

    /// Sends idle children away until `count` are left.
    func keep(_ count: Int) {
        send(.keep(count))
    }

    /// Closes the children's inputs and waits until all have ended. Those that are still there
    /// after `patience` are killed, and what they were asked fails.
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

    /// Ends all children without waiting for it.
    func abandon() {
        let isRunning = inbox.withLock { if case .running = $0 { true } else { false } }
        if isRunning { send(.close(patience: .zero, done: nil)) }
    }

    /// - Returns: why the command was not taken.
    @discardableResult
    func send(_ command: Command) -> ChildFailure? {
        inbox.withLock { inbox in
            switch inbox {
            case .closed:
                return ChildFailure(code: .cancelled, message: "the children are shut down")
            case .notStarted:
                guard case .ask = command else { return nil }
                do throws(Errno) {
                    inbox = .running([command], wake: try start())
                    return nil
                } catch {
                    return ChildFailure(code: .spawn, message: "cannot start the thread that talks to the children: \(error)")
                }
            case .running(let commands, let wake):
                inbox = .closed  // so that the array has one owner and grows in place
                var commands = commands
                // One byte for a whole batch: the thread takes all commands each time it wakes. A
                // full pipe wakes it as well.
                if commands.isEmpty { _ = wake.writeAvailable([1]) }
                commands.append(command)
                inbox = .running(commands, wake: wake)
                return nil
            }
        }
    }

    private func start() throws(Errno) -> FileDescriptor {
        let wake = try ChildPipes.pipe()
        for end in wake { try ChildPipes.setNonBlocking(end) }
        try startThread { [self] in
            ChildTable(loop: self, wake: wake[0]).run()
            ChildPipes.close(wake[0])
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

    /// - Returns: whether no command came in meanwhile; from then on none is taken.
    func closeInbox() -> Bool {
        inbox.withLock { inbox in
            guard case .running(let commands, let wake) = inbox, commands.isEmpty else { return false }
            ChildPipes.close(wake)
            inbox = .closed
            return true
        }
    }
}

/// Says that a question's answer is not needed any more.
final class Ticket: Sendable {
    private let flag = Atomic(false)

    var isGivenUp: Bool { flag.load(ordering: .acquiring) }
    func giveUp() { flag.store(true, ordering: .releasing) }
}

struct ChildCounts: Sendable {
    var timeouts = 0
    var breaches = 0
    /// Children started in place of one that ended unasked.
    var restarts = 0
    var busy = Duration.zero
    var living = 0
    var peak = 0
}
