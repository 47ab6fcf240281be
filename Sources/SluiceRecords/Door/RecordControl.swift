import Sluice
import Synchronization

/// The handle of one run of ``Records``: to watch it, and to end it early. It serves for that run
/// only.
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
    }

    private let state = Locked(State())

    /// A handle for a run that is to begin.
    public init() {}

    /// How far the run has come, at any time and from any thread.
    public var progress: RunProgress { state.withLock { $0.run }?.progress ?? RunProgress() }

    /// Stops reading. What is in flight is finished, nothing is published, and the report says
    /// `interrupted`.
    ///
    /// Does nothing after the end; before the beginning it leaves nothing to read.
    public func drain() {
        let run = state.withLock { state in
            state.isDrained = true
            return state.run
        }
        run?.drain()
    }

    func begin(_ run: RecordRun) {
        let isDrained = state.withLock { state in
            state.run = run
            return state.isDrained
        }
        if isDrained { run.drain() }
    }
}
