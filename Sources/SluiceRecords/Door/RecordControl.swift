import Sluice
import Synchronization

/// A handle to observe a run of ``Records`` and to end it early. It can be used for one run only.
///
/// ```swift
/// let control = RecordControl()
/// async let report = records.run(control)
/// print(control.progress.records)
/// control.drain()
/// ```
public final class RecordControl: Sendable {
    private struct State {
        var run: RecordRun?
        var isDrained = false
        var hasEnded = false
    }

    private let state = Locked(State())

    /// Creates a handle for a run that has not begun.
    public init() {}

    /// The progress of the run. May be read at any time and from any thread.
    public var progress: RunProgress { state.withLock { $0.run }?.progress ?? RunProgress() }

    /// Stops reading. What is in flight is finished, nothing is published, and the report's status
    /// is `interrupted`.
    ///
    /// Has no effect after the end of the run. If called before it begins, the run reads nothing.
    public func drain() {
        let run = state.withLock { state in
            state.isDrained = true
            return state.run
        }
        run?.drain()
    }

    func end() { state.withLock { $0.hasEnded = true } }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    var run: RecordRun? { state.withLock { $0.run } }

    func begin(_ run: RecordRun) {
        let isDrained = state.withLock { state in
            state.run = run
            return state.isDrained
        }
        if isDrained { run.drain() }
    }
}
