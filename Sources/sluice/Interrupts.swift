import Dispatch
import Glibc
import SluiceRecords
import Synchronization

enum Signals {
    static let interrupt = SIGINT
    static let termination = SIGTERM
    static let hangUp = SIGHUP
    static let quit = SIGQUIT
    static let brokenPipe = SIGPIPE
}

/// Handles SIGINT, SIGTERM, SIGHUP and SIGQUIT while it exists: the first drains the run, the
/// second ends the process and its children at once.
final class Interrupts: Sendable {
    private let received = Mutex<Int32?>(nil)
    private let drain: @Sendable () -> Void
    private let children = ChildProcesses()
    // Only created, activated and released here; Dispatch sources may be used from any thread.
    nonisolated(unsafe) private var sources: [any DispatchSourceSignal] = []

    init(drain: @escaping @Sendable () -> Void) {
        self.drain = drain
        // Until its source is registered, a signal ends the process, which has not begun anything
        // yet. Ignoring the signal instead would lose it.
        let registered = DispatchGroup()
        for number in [Signals.interrupt, Signals.termination, Signals.hangUp, Signals.quit] where !Self.isIgnored(number) {
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in self?.receive(number) }
            registered.enter()
            source.setRegistrationHandler { registered.leave() }
            source.activate()
            sources.append(source)
        }
        registered.wait()
    }

    /// Whether the process was started to outlive its terminal, as `nohup` does.
    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard number == Signals.hangUp, sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// The first signal received.
    var first: Int32? { received.withLock { $0 } }

    /// Drains the run as a first SIGTERM does; a signal after that ends the process at once.
    ///
    /// - Parameter asker: who wants that.
    func drain(for asker: String) {
        guard isFirst(Signals.termination) else { return }
        let text = "draining, as \(asker) asks: finishing what is in flight; interrupt to exit at once"
        Log.write("\nsluice: \(text)\n", or: [LogEntry(.warning, text)])
        drain()
    }

    private func receive(_ number: Int32) {
        guard isFirst(number) else {
            children.killAll()
            _exit(128 + number)
        }
        let text = "draining: finishing what is in flight; interrupt again to exit at once"
        Log.write("\nsluice: \(text)\n", or: [LogEntry(.warning, text, ["sluice.signal": .integer(Int(number))])])
        drain()
    }

    private func isFirst(_ number: Int32) -> Bool {
        received.withLock { received in
            defer { received = received ?? number }
            return received == nil
        }
    }
}
