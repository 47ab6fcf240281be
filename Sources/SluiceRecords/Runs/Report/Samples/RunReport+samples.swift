extension RunSamples {
    /// Says that the samples in a state folder are those of a report, which another process has
    /// written after the end of theirs.
    static func claim(_ report: RunReport, in folder: String) {
        guard var samples = RunSamples(state: folder), samples.report == nil, samples.definition == report.definition else { return }
        samples.report = report.digest
        do {
            try samples.write(to: folder)
        } catch {
            // Without them, the page of the report has no curves.
        }
    }
}

extension RunReport {
    /// What is known of a run that has written no report: it goes on, or its process was killed.
    package init(unfinished samples: RunSamples) {
        let last = samples.samples.last ?? RunSamples.Sample()
        self.init(
            pipeline: samples.pipeline, definition: samples.definition, status: .interrupted, balanced: true, elapsedSeconds: samples.seconds,
            records: Records(read: last.records, written: last.written, dead: last.dead), inputs: [], stages: [], outputs: [],
            deadLetters: DeadLetters(file: "", records: last.dead, byCode: [:]))
    }
}
