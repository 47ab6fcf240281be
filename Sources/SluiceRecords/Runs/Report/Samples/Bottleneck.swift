/// What a run waited for most: why it was not faster.
package enum Bottleneck: Sendable, Equatable {
    /// The run was too short to tell.
    case tooShort
    /// A step that takes one batch at a time was busy nearly all the time.
    case ordered(StepTimes)
    /// All workers of a step were busy nearly all the time, with threads to spare.
    case workers(StepTimes)
    /// All threads were computing; the steps with the largest part of it come first.
    case processors(share: Double, [StepTimes])
    /// Reading the inputs, as there were too few of them to read side by side.
    case reading(StepTimes)
    /// The step before it held its results most of the time, as there was no room in this one.
    case crowded(StepTimes, waited: Double)
    /// None was busy most of the time; the busiest.
    case unclear(busiest: StepTimes?)

    /// From what part of the time on something counts as always busy.
    private static let most = 0.75
    /// From what part of the time on a step counts as held up by the next.
    private static let heldUp = 0.5
    /// In seconds.
    private static let shortest = 0.5

    package init(_ samples: RunSamples) {
        let times = samples.times
        let seconds = samples.seconds
        guard seconds >= Self.shortest, samples.samples.count >= 3 else {
            self = .tooShort
            return
        }
        let steps = times.sorted { $0.share > $1.share }
        func first(_ kinds: RunSamples.Step.Kind...) -> StepTimes? { steps.first { kinds.contains($0.step.kind) && $0.share >= Self.most } }
        // Children may compute where this process does not, so their stages come before its
        // threads.
        if let own = first(.own) {
            self = .workers(own)
        } else if samples.threads > 1, let ordered = first(.ordered, .writing) {
            self = .ordered(ordered)
        } else if samples.processorShare >= Self.most {
            self = .processors(
                share: samples.processorShare, times.filter { $0.step.kind != .own && $0.busy > 0 }.sorted { $0.busy > $1.busy })
        } else if let limited = steps.first(where: { $0.step.kind == .stage && $0.step.workers < samples.threads && $0.share >= Self.most }) {
            self = .workers(limited)
        } else if let last = times.lastIndex(where: { $0.step.kind != .reading && $0.waited >= Self.heldUp * $0.available }), last + 1 < times.count {
            // Readers are held up by the window, which is full if any step after them is slow.
            self = .crowded(times[last + 1], waited: times[last].waited / times[last].available)
        } else if let reading = first(.reading) {
            self = .reading(reading)
        } else {
            self = .unclear(busiest: steps.first)
        }
    }
}
