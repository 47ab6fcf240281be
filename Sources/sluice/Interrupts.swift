import Dispatch
import Glibc
import Synchronization

enum Signals {
    static let interrupt = SIGINT
    static let termination = SIGTERM
    static let brokenPipe = SIGPIPE
}

/// SIGINT and SIGTERM, while this lives: the first drains, the second ends the process at once.
final class Interrupts: Sendable {
    private let received = Mutex<Int32?>(nil)
    private let drain: @Sendable () -> Void
    // Only made, activated and let go; Dispatch sources may be used from any thread.
    nonisolated(unsafe) private var sources: [any DispatchSourceSignal] = []

    init(drain: @escaping @Sendable () -> Void) {
        self.drain = drain
        for number in [Signals.interrupt, Signals.termination] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in self?.receive(number) }
            source.activate()
            sources.append(source)
        }
    }

    /// The signal that came first.
    var first: Int32? { received.withLock { $0 } }

    private func receive(_ number: Int32) {
        let isFirst = received.withLock { received in
            defer { received = received ?? number }
            return received == nil
        }
        guard isFirst else { _exit(128 + number) }
        Terminal.error.write("\nsluice: draining: what is in flight is finished, nothing new is read; once more to end at once\n")
        drain()
    }
}
