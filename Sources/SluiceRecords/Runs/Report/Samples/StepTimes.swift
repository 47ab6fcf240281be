/// Where the time of a step went, over a whole run.
package struct StepTimes: Sendable, Equatable {
    package var step: RunSamples.Step
    /// In seconds, summed over its workers.
    package var busy: Double
    /// The time that its workers held results which the next step had no room for.
    package var waited: Double
    /// The time of all its workers together.
    package var available: Double
    /// The average number of batches that waited for it.
    package var queued: Double

    package init(step: RunSamples.Step, busy: Double, waited: Double, available: Double, queued: Double) {
        (self.step, self.busy, self.waited, self.available, self.queued) = (step, busy, waited, available, queued)
    }

    /// The rest: no batch was there, or no thread was free.
    package var idle: Double { max(0, available - busy - waited) }
    /// The part of its workers' time that it was busy, 0 to 1.
    package var share: Double { available > 0 ? min(1, busy / available) : 0 }
}

extension RunSamples {
    /// The time that the samples cover, in seconds.
    package var seconds: Double { Double(samples.last?.time ?? 0) / 1e6 }

    /// Where the time of each step went.
    package var times: [StepTimes] {
        guard let last = samples.last, last.steps.count == steps.count else { return [] }
        return steps.indices.map { index in
            var (available, queued, before) = (0.0, 0.0, 0)
            for sample in samples {
                let span = Double(sample.time - before) / 1e6
                available += span * Double(sample.steps[index].workers)
                queued += span * Double(sample.steps[index].queued)
                before = sample.time
            }
            let (busy, waited) = (Double(last.steps[index].busy) / 1e6, Double(last.steps[index].waited) / 1e6)
            return StepTimes(
                step: steps[index], busy: busy, waited: waited, available: max(available, busy + waited),
                queued: seconds > 0 ? queued / seconds : 0)
        }
    }

    /// The part of the threads' time in which the process was computing, 0 to 1.
    package var processorShare: Double {
        guard let last = samples.last, let first = samples.first, last.time > first.time, threads > 0 else { return 0 }
        return min(1, Double(last.processorTime - first.processorTime) / Double(last.time - first.time) / Double(threads))
    }
}
