import FoundationEssentials
import Glibc
import Sluice
import Synchronization

/// Takes samples of a run while it goes on, and writes them to its state folder.
///
/// A sample costs some microseconds, ten times a second at most. A run does not fail because they
/// cannot be written.
final class RunSampler: Sendable {
    /// What a run knows of itself when a sample is taken.
    struct Reading: Sendable {
        var flow: Report
        var progress: RunProgress
        var written: Int
        /// For each place in the ledger, the records that were passed on.
        var out: [Int]
        /// For each place in the ledger, the records that failed there.
        var dead: [Int]
        /// For each place in the ledger, the records that were passed on, committed or not.
        var passed: [Int]
        /// The workers of stages that have their own.
        var own: [String: OwnWorkers]
    }

    /// The longest time between two writings of the file, in microseconds. What a crash loses is no
    /// more.
    private static let pause = 10_000_000
    /// When the file is first written with samples in it. After that, times between writings double
    /// up to ``pause``.
    private static let first = 1_000_000

    fileprivate struct State {
        var samples: RunSamples
        var series: SampleSeries?
        /// The last sample of the process before this one, if that has resumed its run: totals go
        /// on from there.
        var before = RunSamples.Sample()
        /// However often a run is killed, its samples stay small.
        static let mostResumes = 100
        var written = 0
        var task: Task<Void, Never>?
        var hasEnded = false
    }

    private let folder: String
    private let read: @Sendable () -> Reading
    private let start = ContinuousClock.now
    private let state: Locked<State>

    /// - Parameters:
    ///   - samples: what is known before the run.
    ///   - earlier: those of the processes before this one, if it resumes their run.
    ///   - read: returns the counters as they stand; from any thread.
    init(_ samples: RunSamples, after earlier: RunSamples? = nil, folder: String, read: @escaping @Sendable () -> Reading) {
        self.folder = folder
        self.read = read
        state = Locked(State(samples, after: earlier))
    }

    func begin() {
        // In place of those of the run before, even if this one does not come far.
        write(of: nil)
        let task = Task { await takeSamples() }
        state.withLock { $0.task = task }
    }

    /// Takes the last sample, at the end of the work.
    func end() async {
        let task = state.withLock { $0.task.take() }
        task?.cancel()
        await task?.value
        take(isLast: true)
        state.withLock { $0.hasEnded = true }
    }

    /// Those so far, and one of this moment.
    var current: RunSamples {
        let reading = read()
        let time = now
        return state.withLock { state in
            var copy = state
            if !copy.hasEnded { copy.add(reading, at: time) }
            return copy.now
        }
    }

    /// - Parameter report: its digest.
    func write(of report: String?) {
        let samples = state.withLock { state in
            state.samples.report = report
            return state.now
        }
        write(samples)
    }

    private func takeSamples() async {
        while true {
            let next = state.withLock { state in (state.series?.next ?? 0) - state.before.time }
            do {
                try await ContinuousClock().sleep(until: start + .microseconds(max(next, now + 50_000)), tolerance: nil)
            } catch {
                return
            }
            take()
            let due = state.withLock { state -> RunSamples? in
                guard Self.isDue(at: now, written: state.written) else { return nil }
                state.written = now
                return state.now
            }
            if let due { write(due) }
        }
    }

    /// Whether to write the file, by the time when that was done last, 0 if it was not.
    static func isDue(at now: Int, written: Int) -> Bool { now - written >= max(first, min(pause, written)) }

    private func write(_ samples: RunSamples) {
        do {
            try samples.write(to: folder)
        } catch {
            // They are only a picture of the run, which has its report.
        }
    }

    private var now: Int { Int((ContinuousClock.now - start) / .microseconds(1)) }

    private func take(isLast: Bool = false) {
        var reading = read()
        // What is not committed by now was given up.
        if isLast { reading.passed = reading.out }
        let time = now
        state.withLock { $0.add(reading, at: time) }
    }
}

extension RunSampler.State {
    init(_ samples: RunSamples, after earlier: RunSamples?) {
        self.samples = samples
        guard let earlier, let last = earlier.samples.last, samples.continues(earlier) else { return }
        before = last
        (self.samples.steps, self.samples.began) = (earlier.steps, earlier.began)
        self.samples.resumes = Array((earlier.resumes + [last.time]).suffix(Self.mostResumes))
        series = SampleSeries(earlier.samples, columns: self.samples.columns.count)
    }

    var now: RunSamples {
        var samples = samples
        samples.samples = series?.samples ?? []
        return samples
    }

    mutating func add(_ reading: RunSampler.Reading, at time: Int) {
        let flow = reading.flow
        // Nothing has begun yet.
        guard !flow.stages.isEmpty else { return }
        let steps = RunSamples.Step.all(of: reading)
        if !samples.steps.isEmpty, !samples.steps.isSame(as: steps) { forget() }
        if samples.steps.isEmpty { samples.steps = steps }
        samples.steps.take(workers: steps)
        var series = self.series ?? SampleSeries(columns: samples.columns.count)
        var sample = RunSamples.Sample()
        sample.time = time
        sample.records = reading.progress.records
        sample.written = reading.written
        sample.dead = reading.progress.deadLetters
        sample.textBytes = Int(clamping: reading.progress.textBytes)
        sample.compressedBytes = Int(clamping: reading.progress.compressedBytes)
        (sample.processorTime, sample.memoryBytes) = (ProcessUsage.processorTime, ProcessUsage.memoryBytes)
        sample.share = reading.progress.share.map { Int(($0 * 1e6).rounded()) }
        (sample.out, sample.deadLetters, sample.passed) = (reading.out, reading.dead, reading.passed)
        sample.steps.append(RunSamples.Sample.Step(flow.reading, workers: flow.readers))
        for stage in flow.stages { sample.steps.append(RunSamples.Sample.Step(stage, reading.own[stage.name])) }
        sample.steps.append(RunSamples.Sample.Step(flow.writing, workers: 1))
        guard sample.steps.count == samples.steps.count, sample.out.count == samples.places.count else { return }
        series.append(sample.following(before))
        self.series = series
    }

    /// Begins anew, as the steps of this process are others than those before.
    private mutating func forget() {
        (series, before) = (nil, RunSamples.Sample())
        (samples.steps, samples.resumes) = ([], [])
    }
}

extension RunSamples {
    /// Whether these can go on after samples of an earlier process.
    fileprivate func continues(_ earlier: RunSamples) -> Bool {
        run != nil && run == earlier.run && definition == earlier.definition && places == earlier.places
            && earlier.samples.allSatisfy { $0.deadLetters.count == places.count }
    }
}

extension RunSamples.Sample {
    /// What this process counts from its beginning, after another sample. Counters of records are
    /// already those of the whole run.
    fileprivate func following(_ before: RunSamples.Sample) -> RunSamples.Sample {
        var sample = self
        sample.time += before.time
        sample.processorTime += before.processorTime
        for (index, step) in before.steps.enumerated() where index < sample.steps.count {
            sample.steps[index].busy += step.busy
            sample.steps[index].waited += step.waited
            sample.steps[index].batches += step.batches
        }
        return sample
    }
}

extension [RunSamples.Step] {
    fileprivate func isSame(as others: [RunSamples.Step]) -> Bool {
        count == others.count && zip(self, others).allSatisfy { $0.name == $1.name && $0.kind == $1.kind }
    }

    /// The limits may be others in each process; the highest is kept.
    fileprivate mutating func take(workers others: [RunSamples.Step]) {
        guard count == others.count else { return }
        for index in indices { self[index].workers = Swift.max(self[index].workers, others[index].workers) }
    }
}

extension RunSamples.Step {
    fileprivate static func all(of reading: RunSampler.Reading) -> [RunSamples.Step] {
        let stages = reading.flow.stages.map { stage in
            if let own = reading.own[stage.name] { return RunSamples.Step(name: stage.name, kind: .own, workers: own.range.upperBound) }
            return RunSamples.Step(name: stage.name, kind: stage.isOrdered ? .ordered : .stage, workers: stage.workers.max)
        }
        return [RunSamples.Step(name: "reading", kind: .reading, workers: reading.flow.readers)] + stages
            + [RunSamples.Step(name: "writing", kind: .writing, workers: 1)]
    }
}

extension RunSamples.Sample.Step {
    fileprivate init(_ activity: Report.Activity, workers: Int) {
        self.init(
            busy: Int(activity.busy / .microseconds(1)), waited: Int(activity.waited / .microseconds(1)), workers: workers, batches: activity.elements)
    }

    fileprivate init(_ stage: Report.Stage, _ own: OwnWorkers?) {
        self.init(
            busy: Int((own?.busy ?? stage.busy) / .microseconds(1)), waited: Int(stage.waited / .microseconds(1)), queued: stage.queued,
            workers: own?.range.upperBound ?? stage.workers.now, batches: stage.counts.out)
    }
}

/// What the process uses of the machine.
enum ProcessUsage {
    /// In microseconds, of all its threads.
    static var processorTime: Int {
        var time = timespec()
        return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 ? time.tv_sec * 1_000_000 + time.tv_nsec / 1_000 : 0
    }

    /// Resident memory.
    static var memoryBytes: Int {
        guard let text = FileManager.default.contents(atPath: "/proc/self/statm") else { return 0 }
        let pages = text.split(separator: UInt8(ascii: " ")).dropFirst().first.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
        return (pages ?? 0) * Int(getpagesize())
    }
}
