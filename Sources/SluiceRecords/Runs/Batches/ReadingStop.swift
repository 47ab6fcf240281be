import Sluice
import Synchronization

/// Stops the reading of a run's inputs, also where a reader waits for more bytes of a pipe.
final class ReadingStop: Sendable {
    private struct State {
        var isStopped = false
        var open: [ObjectIdentifier: any InputBytes] = [:]
    }

    private let state = Locked(State())

    var isStopped: Bool { state.withLock { $0.isStopped } }

    func stop() {
        let open = state.withLock { state in
            state.isStopped = true
            return Array(state.open.values)
        }
        for bytes in open { bytes.interrupt() }
    }

    /// Interrupts the input on a stop, until it is removed.
    func add(_ bytes: any InputBytes) {
        let isStopped = state.withLock { state in
            state.open[ObjectIdentifier(bytes)] = bytes
            return state.isStopped
        }
        if isStopped { bytes.interrupt() }
    }

    func remove(_ bytes: any InputBytes) {
        _ = state.withLock { $0.open.removeValue(forKey: ObjectIdentifier(bytes)) }
    }
}
