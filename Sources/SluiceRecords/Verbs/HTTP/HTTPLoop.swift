// Unsafe memory: libcurl's multi handle is created before the loop's thread starts and freed when
// the inbox is closed and the thread has ended its work. Other threads only call
// `curl_multi_wakeup` with it, which libcurl allows at any time, under the lock that also guards
// the closing.

import CCurl
import Sluice
import Synchronization
import SystemPackage
import WorkerPools

/// A request that waits for its answer, and the task that asked.
struct HTTPQuestion: Sendable {
    typealias Reply = Result<HTTPAnswer, HTTPFailure>

    let request: HTTPRequest
    let ticket: Ticket
    let reply: CheckedContinuation<Reply, Never>
}

/// The thread that makes all requests of a stage, and its interface for other threads.
///
/// One thread with libcurl's multi interface rather than a thread for each request: so all requests
/// share one cache of connections, and any number of them can be in flight.
final class HTTPLoop: Sendable {
    struct Configuration: Sendable {
        var options: HTTPOptions
        /// Whether bodies of answers are needed.
        var keepsBody = true
        /// The number of requests in flight, at most, until it is changed.
        var workers: Int
        /// The time limit of an attempt.
        var timeout: Duration
        /// Texts that no message may contain, even if a server repeats them.
        var secrets: [String] = []

        /// The number of connections to one server.
        func connections(for workers: Int) -> Int { min(options.connections ?? workers, workers) }
    }

    enum Command {
        case ask(HTTPQuestion)
        case giveUp(Ticket)
        case limit(Int)
        /// No request begins any more; those in flight are given up after the time.
        case drain(grace: Duration)
        case close(done: CheckedContinuation<Void, Never>?)
    }

    /// A multi handle.
    ///
    /// `@unchecked Sendable`: see the head of this file.
    struct Multi: @unchecked Sendable {
        let handle: UnsafeMutableRawPointer
    }

    private enum Inbox {
        case notStarted
        case running([Command], Multi)
        case closed
    }

    let configuration: Configuration
    private let inbox = Locked(Inbox.notStarted)

    init(_ configuration: Configuration) {
        self.configuration = configuration
        _ = WriteSignals.areErrors
    }

    /// Makes the request and waits for the answer. A cancelled task gives up at once, and the
    /// request is aborted.
    func ask(_ request: HTTPRequest) async -> HTTPQuestion.Reply {
        let ticket = Ticket()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { reply in
                let question = HTTPQuestion(request: request, ticket: ticket, reply: reply)
                if let failure = send(.ask(question)) { reply.resume(returning: .failure(failure)) }
            }
        } onCancel: {
            ticket.giveUp()
            send(.giveUp(ticket))
        }
    }

    /// Starts the thread, unless it runs already.
    func begin() throws(HTTPFailure) {
        try inbox.withLock { (inbox) throws(HTTPFailure) in
            if case .notStarted = inbox { inbox = .running([], try start()) }
        }
    }

    /// Changes the number of requests in flight. Those that are too many are finished.
    func limit(to workers: Int) {
        send(.limit(workers))
    }

    func drain(grace: Duration) {
        send(.drain(grace: grace))
    }

    /// Gives up what is in flight and waits until the thread has ended. Connections are closed.
    func close() async {
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
            if isClosed || send(.close(done: done)) != nil { done.resume() }
        }
    }

    /// As ``close()``, without waiting.
    func abandon() {
        let isRunning = inbox.withLock { if case .running = $0 { true } else { false } }
        if isRunning { send(.close(done: nil)) }
    }

    /// - Returns: why the command was not accepted; `nil` if it was.
    @discardableResult
    private func send(_ command: Command) -> HTTPFailure? {
        inbox.withLock { inbox in
            switch inbox {
            case .closed:
                return .givenUp
            case .notStarted:
                switch command {
                case .ask: break
                case .drain:
                    inbox = .closed
                    return nil
                case .giveUp, .limit, .close: return nil
                }
                do throws(HTTPFailure) {
                    inbox = .running([command], try start())
                    return nil
                } catch {
                    return error
                }
            case .running(let commands, let multi):
                inbox = .closed  // so that the array has one owner and grows in place
                var commands = commands
                commands.append(command)
                inbox = .running(commands, multi)
                ccurl_multi_wakeup(multi.handle)
                return nil
            }
        }
    }

    private func start() throws(HTTPFailure) -> Multi {
        if let problem = HTTPLibrary.problem { throw HTTPFailure(code: .connection, message: problem) }
        guard let handle = ccurl_multi_init() else { throw HTTPFailure(code: .connection, message: "no memory for requests") }
        let multi = Multi(handle: handle)
        do throws(SystemThread.Refused) {
            try SystemThread { [self] in HTTPTable(loop: self, multi: multi.handle).run() }.detach()
        } catch {
            ccurl_multi_cleanup(handle)
            throw HTTPFailure(code: .connection, message: "cannot start the thread that makes the requests: \(error)")
        }
        return multi
    }

    func takeCommands() -> [Command] {
        inbox.withLock { inbox in
            guard case .running(let commands, let multi) = inbox else { return [] }
            inbox = .running([], multi)
            return commands
        }
    }

    /// - Returns: false if another command has arrived; if true, no further one is accepted, and
    ///   the handle is no longer used by other threads.
    func closeInbox() -> Bool {
        inbox.withLock { inbox in
            guard case .running(let commands, _) = inbox, commands.isEmpty else { return false }
            inbox = .closed
            return true
        }
    }
}
