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
