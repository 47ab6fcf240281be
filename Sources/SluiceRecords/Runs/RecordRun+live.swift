import Sluice
import SluiceCEL
import Synchronization

/// A run while it goes on: what is known of it, and what can be changed.
extension RecordRun {
    /// What is known at one moment.
    package struct Live: Sendable {
        /// With a sample of this moment.
        package var samples: RunSamples
        /// The books of what is committed. Inputs and outputs are not listed; its status says
        /// nothing.
        package var report: RunReport
        package var progress: RunProgress
        /// The number of inputs.
        package var inputs: Int
        package var damage: DamageSoFar
        /// For each of the steps of the samples, how many workers it can be given; `nil` if their
        /// number is fixed.
        package var allowed: [ClosedRange<Int>?]

        package init(
            samples: RunSamples, report: RunReport, progress: RunProgress, inputs: Int = 1, damage: DamageSoFar = DamageSoFar(),
            allowed: [ClosedRange<Int>?] = []
        ) {
            (self.samples, self.report, self.progress) = (samples, report, progress)
            (self.inputs, self.damage, self.allowed) = (inputs, damage, allowed)
        }
    }

    /// From any thread. Takes some tens of microseconds.
    ///
    /// - Returns: `nil` if the run has not begun, or is not sampled.
    package var live: Live? {
        guard let samples = sampler.withLock({ $0 })?.current, !samples.samples.isEmpty else { return nil }
        let flow = control.snapshot
        let (progress, books) = meter.all(finished: finished)
        return Live(
            samples: samples, report: RunReport(pipeline, plan, now: flow, books, elapsed: samples.seconds), progress: progress,
            inputs: pipeline.source.inputs.count, damage: books.damage,
            allowed: samples.steps.map { allowedWorkers(of: $0) })
    }

    /// What is known before it has begun.
    package var beginning: Live {
        var samples = options.samples ?? RunSamples()
        (samples.pipeline, samples.definition) = (pipeline.name, pipeline.definition)
        samples.places = plan.places.map(\.name)
        let (progress, books) = meter.all
        let report = RunReport(pipeline, plan, now: control.snapshot, books, elapsed: 0)
        return Live(samples: samples, report: report, progress: progress, inputs: pipeline.source.inputs.count, damage: books.damage, allowed: [])
    }

    private func allowedWorkers(of step: RunSamples.Step) -> ClosedRange<Int>? {
        switch step.kind {
        case .reading, .ordered, .writing: nil
        case .own: plan.stages.first { $0.name.isSame(as: step.name) }?.allowedWorkers
        // All stages share these threads.
        case .stage: options.workers > 1 ? 1...options.workers : nil
        }
    }

    /// Why the workers of a step were not changed.
    package enum ResizeRefusal: Error, Sendable, Equatable {
        case noSuchStep(names: [String])
        case fixed(because: String)
        case outOfRange(ClosedRange<Int>)
        case notRunning
    }

    /// Sets the number of workers of a step, by its name in the samples, while the run goes on.
    /// What the run writes does not depend on it.
    package func resize(_ name: String, to workers: Int) throws(ResizeRefusal) {
        guard let steps = sampler.withLock({ $0 })?.current.steps, !steps.isEmpty else { throw .notRunning }
        // A stage may have the name of one of those at both ends.
        let named = steps.filter { $0.name.isSame(as: name) }
        guard let step = named.first(where: { $0.kind != .reading && $0.kind != .writing }) ?? named.first else {
            throw .noSuchStep(names: steps.map(\.name))
        }
        guard let allowed = allowedWorkers(of: step) else { throw .fixed(because: Self.reason(step)) }
        guard allowed.contains(workers) else { throw .outOfRange(allowed) }
        if step.kind == .own {
            plan.stages.first { $0.name.isSame(as: name) }?.resize(to: workers)
        } else if !control.resize(step.name, to: workers) {
            throw .notRunning
        }
    }

    private static func reason(_ step: RunSamples.Step) -> String {
        switch step.kind {
        case .reading: "there is a reader for each input that is read at the same time"
        case .writing, .ordered: "it takes one batch at a time, in the order of the input"
        case .stage: "the run has one thread; '--workers' gives it more"
        case .own: "its workers are those of a program"
        }
    }
}
