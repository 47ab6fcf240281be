import Sluice
import Synchronization

/// `throttle`: limits the rate of records by delaying them.
package struct Throttle: Verb {
    package static let declaration = Declaration(
        "throttle", "limits the rate of records by delaying them; none is dropped",
        argument: .keys([
            ArgumentKey("records", .integer(1...1_000_000_000), isRequired: true, example: "records: 1000", "the number of records"),
            ArgumentKey("per", .duration, default: "1s", example: "per: 1m", "the time for that many records"),
        ]),
        example: "throttle: {records: 1000, per: 1s}",
        elsewhere: ["rate_limit", "ratelimit", "delay"])

    private let records: Int
    private let per: Duration

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let keys = argument.keys, let records = keys["records"]?.integer else { return nil }
        self.records = records
        per = keys["per"]?.duration ?? .seconds(1)
    }

    package var mentions: [String] { [] }
    package var leavesRecords: Bool { true }

    /// Records pass a batch at a time: those of a tenth of a second, or one.
    package var mostRecords: Int? { max(1, Int((Double(records) * (.milliseconds(100) / per)).rounded())) }

    package func makeStep(_ stage: RecordStage) -> Step {
        let start = ContinuousClock.now
        return .each(ThrottleStep(Pace(records: records, per: per), now: { ContinuousClock.now - start }, sleep: { try await Task.sleep(for: $0) }))
    }
}

/// A schedule of records: each takes its share of the time, starting when the previous one has
/// passed.
struct Pace: Sendable {
    private let each: Duration
    /// When the time of all records that have passed is over.
    private var free = Duration.zero

    init(records: Int, per: Duration) {
        each = per / records
    }

    /// - Returns: how long records that arrive at `now` must wait.
    mutating func delay(of records: Int, at now: Duration) -> Duration {
        let begin = max(free, now)
        free = begin + each * records
        return begin - now
    }
}

/// The state of `throttle` during a run.
final class ThrottleStep: EachStep {
    private struct State {
        var pace: Pace
        var isDraining = false
    }

    private let state: Locked<State>
    private let now: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - now: the time since some fixed moment.
    ///   - sleep: waits; throws if its task is cancelled.
    init(_ pace: Pace, now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void) {
        state = Locked(State(pace: pace))
        self.now = now
        self.sleep = sleep
    }

    func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage { ThrottleStage(site: site, step: self) }

    func batches(_ pool: PoolOptions, threads: Int) -> ClosedRange<Int> { 1...1 }

    /// Lets records that are waiting pass at once.
    func drain() { state.withLock { $0.isDraining = true } }

    /// Waits until the given number of records may pass.
    func wait(for records: Int) async throws {
        let begin = now()
        let end = begin + state.withLock { $0.pace.delay(of: records, at: begin) }
        while true {
            let left = end - now()
            // In short pieces, so that an interrupted run need not wait.
            guard left > .zero, !state.withLock({ $0.isDraining }) else { return }
            try await sleep(min(left, .milliseconds(100)))
        }
    }
}

/// `throttle`, bound to one place.
struct ThrottleStage: EachStage {
    let site: StageSite
    let step: ThrottleStep

    func run(_ batch: RecordBatch) async throws {
        try await step.wait(for: batch.rows.count)
        batch.counts[site.index].in += batch.rows.count
        batch.counts[site.index].out += batch.rows.count
    }
}

extension Records {
    /// Passes at most `records` records per time span; delays the others and drops none.
    public func throttle(_ records: Int, per: Duration = .seconds(1), name: String? = nil) -> Records {
        precondition((1...1_000_000_000).contains(records) && per > .zero, "a rate must be between 1 and 1,000,000,000 records in a positive time")
        return adding(Throttle.self, name) { script in
            .keys(Arguments(["records": .integer(records, script.place), "per": .duration(per, script.place)]))
        }
    }
}
