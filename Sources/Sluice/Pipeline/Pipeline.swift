import Logging
public import WorkerPools

/// A source, the stages that its elements go through, and the sinks at the end.
///
/// A pipeline is a value: each method returns a longer one, and nothing happens until ``run(_:)``,
/// which can be called any number of times.
///
/// ```swift
/// let report = try await Pipeline.reading(from: urls)
///     .map("fetch", concurrency: 16, timeout: .seconds(5), retry: .times(3)) {
///         try await fetch($0)
///     }
///     .filter("big") { $0.count > 1_000 }
///     .deadLetters { print("lost \($0.element): \($0.error)") }
///     .forEach { try await store($0) }
///     .run()
/// ```
///
/// Every stage has a worker pool of its own; a stage that is slower than the one before it slows
/// that one down, up to the source. Elements are committed in the source's order unless the
/// pipeline is ``unordered()``.
public struct Pipeline<Element: Sendable>: Sendable {
    var settings = PipelineSettings()
    /// Lays the pipeline out for a run, from its end towards the source.
    let attach: @Sendable (Inlet<Element>, inout Layout) -> Void

    init(settings: PipelineSettings = PipelineSettings(), attach: @escaping @Sendable (Inlet<Element>, inout Layout) -> Void) {
        self.settings = settings
        self.attach = attach
    }
}

/// What holds for the whole pipeline.
struct PipelineSettings: Sendable {
    var order = CommitOrder.input
    var window = WindowLimits()
    var executor: (any TaskExecutor)?
    /// The clock of timeouts and retries; nil leaves it to the pools.
    var alarms: (any Alarms)?
    var deadLetters: (any Sink<DeadLetter>)?
    var onFailure: (@Sendable (DeadLetter) -> Void)?
    var logger: Logger?
    /// Whether to measure reading, writing, and how long stages wait for room.
    var measuresWaiting = false
}

extension Pipeline {
    /// Commits elements as they are done, in any order. Results come sooner, and a slow element
    /// holds up nothing.
    public func unordered() -> Self { with { $0.order = .any } }

    /// Bounds what is held between reading and committing; the default is 1,024 elements of any
    /// weight.
    ///
    /// In the source's order, everything after a slow element waits for it in the window. A
    /// pipeline that is cut by ``batched(_:name:)``,
    /// ``flatMap(_:concurrency:queue:timeout:retry:onError:_:)`` or a sink in its midst has one
    /// window of this size on each side.
    public func window(elements: Int = 1024, weight: Int = .max) -> Self {
        with { $0.window = WindowLimits(elements: elements, weight: weight) }
    }

    /// Runs closures, sinks and reading on the executor's threads: for stages that compute.
    ///
    /// Swift's own pool, the default, has as many threads as the machine has cores and must not be
    /// blocked.
    public func running(on executor: any TaskExecutor) -> Self { with { $0.executor = executor } }

    /// Takes the time for timeouts and retries from elsewhere: a `ManualClock`, in tests.
    public func timing(by clock: any Alarms) -> Self { with { $0.alarms = clock } }

    /// Elements that a stage refused, each with its stage, error and place, in the pipeline's order
    /// among what is written. Without this, a stage that does not say otherwise stops the run.
    public func deadLetters(to sink: some Sink<DeadLetter>) -> Self { with { $0.deadLetters = sink } }

    /// As ``deadLetters(to:)`` with a closure.
    public func deadLetters(_ write: @escaping @Sendable (DeadLetter) async throws -> Void) -> Self {
        deadLetters(to: ClosureSink(body: write))
    }

    /// Calls the closure for each failure when it happens, whatever its stage does about it: at any
    /// time, in no order, from several threads.
    public func onFailure(_ body: @escaping @Sendable (DeadLetter) -> Void) -> Self { with { $0.onFailure = body } }

    /// Measures the times of readers and sinks, and how long stages wait for room in the next one:
    /// one more look at the clock for each element and stage.
    package func measuringWaiting() -> Self { with { $0.measuresWaiting = true } }

    func with(_ change: (inout PipelineSettings) -> Void) -> Self {
        var copy = self
        change(&copy.settings)
        return copy
    }
}
