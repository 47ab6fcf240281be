import Sluice
import WorkerPools

extension RecordRun {
    /// The path of the data from the first byte to the last.
    func chain(
        _ source: InputReading, _ encode: SinkStage, _ commit: RunCommit, _ files: RunFiles, _ checkpointing: Checkpointing?,
        on threads: ThreadExecutor
    ) -> Pipeline<EncodedBatch> {
        let records: Pipeline<RecordBatch>
        if let gathered, case .before(let place) = plan.taskCut {
            // Tasks have taken the records to this place.
            records = processed(gathered.records(of: plan, endingBefore: place, scratches, source), place..<plan.places.endIndex, checkpointing)
        } else {
            // If there are tasks, they have read the inputs, and the only batches are results.
            let parts = gathered.map { _ in source.emptyParts } ?? source.parts(on: threads, mayEnd: plan.mayHaveEnough || options.limit != nil)
            records = processed(decoded(parts, source, checkpointing), plan.places.indices, checkpointing)
        }
        let encoded = encoded(records, source, encode, files)
        let divided = dividing(encoded, plan.outputParts, encode, files)
        let ordered = plan.isUnordered ? divided.unordered() : divided
        let taken = plan.sinks.reduce(ordered) { batches, sink in
            (sink.settings.sink as? ClosureSink)?.taking(batches, as: sink.number) ?? batches
        }
        let window = taken.window(elements: 4096, weight: source.window)
        guard let gathered, plan.taskCut == .encoded else { return window.writing(to: commit) }
        return window.writing(to: GatheringCommit(commit, gathered, plan, encode, files))
    }

    private var everyThread: Concurrency { Concurrency.within(1...options.workers) }

    /// The records as the source's format gives them.
    func decoded(_ parts: [Part<Batch>], _ source: InputReading, _ checkpointing: Checkpointing?) -> Pipeline<RecordBatch> {
        let decode = SourceStage(plan, scratches: scratches)
        return Pipeline.reading(parts: parts, concurrency: source.readers)
            .weighing { $0.weight }
            .map(SourceStage.name, concurrency: everyThread, queue: 2, onError: .stop) { [meter] source in
                let batch = decode.decode(source)
                meter.pass(batch.counts[0].out, at: 0)
                batch.takesCheckpoint = checkpointing?.wantsRead() ?? false
                return batch
            }
            .weighing { $0.weight }
    }

    /// The records after the given places, which all are before the sinks. Where the records
    /// divide, a batch continues as parts, and each stage works on the part that is in its flow.
    ///
    /// - Parameter isTask: whether closing stages keep what they have taken in, for another
    ///   process.
    func processed(
        _ decoded: Pipeline<RecordBatch>, _ places: Range<Int>, _ checkpointing: Checkpointing?, isTask: Bool = false
    ) -> Pipeline<RecordBatch> {
        var records = decoded
        if places.contains(0), let years = plan.years {
            records = records.inOrder(YearCount.name, state: (), onError: .stop) { _, batch in
                years.settle(batch)
                if batch.takesCheckpoint { batch.steps.append(Checkpoint.StepState(stage: YearCount.name, state: years.checkpoint)) }
                return batch
            }
            .weighing { $0.weight }
        }
        for place in places {
            if let stage = plan.places[place].stage { records = add(stage, to: records, checkpointing, isTask: isTask) }
            if let split = plan.splits.first(where: { $0.place == place }) { records = add(split, to: records, everyThread) }
        }
        return records
    }

    /// The bytes of the outputs.
    func encoded(_ records: Pipeline<RecordBatch>, _ source: InputReading, _ encode: SinkStage, _ files: RunFiles) -> Pipeline<EncodedBatch> {
        var records = records
        for columns in plan.outputColumns { records = settling(columns, records, files, everyThread) }
        let places = plan.sinks.map(\.place)
        return records.map(SinkStage.name, concurrency: everyThread, queue: 2, onError: .stop) { [scratches, meter] batch in
            let encoded = try encode.encode(batch)
            for place in places { meter.pass(encoded.counts[place].out, at: place) }
            batch.release(scratches: scratches, buffers: source.buffers)
            return encoded
        }
        .weighing { $0.weight }
    }

    /// Divides outputs into files, in the order of the input, and then compresses their text.
    ///
    /// - Parameter files: `nil` in a task.
    func dividing(
        _ encoded: Pipeline<EncodedBatch>, _ parts: [OutputParts], _ encode: SinkStage, _ files: RunFiles?
    ) -> Pipeline<EncodedBatch> {
        if parts.isEmpty { return encoded }
        return encoded.inOrder("\(SinkStage.name): parts", state: (), onError: .stop) { _, batch in
            var batch = batch
            for parts in parts { try parts.divide(&batch, files) }
            return batch
        }
        .map("\(SinkStage.name): blocks", concurrency: everyThread, queue: 2, onError: .stop) { encode.compressParts(of: $0) }
        .weighing { $0.weight }
    }

    /// Determines the columns of each output, in the order of the input, before records are
    /// encoded.
    private func settling(
        _ columns: OutputColumns, _ records: Pipeline<RecordBatch>, _ files: RunFiles, _ workers: Concurrency
    ) -> Pipeline<RecordBatch> {
        records.map("\(columns.sink.name): outputs", concurrency: workers, queue: 2, onError: .stop) { batch in
            try columns.route(batch, files)
            return batch
        }
        .inOrder("\(columns.sink.name): columns", state: (), onError: .stop) { _, batch in
            columns.settle(batch)
            if batch.takesCheckpoint { batch.columns[columns.sink.number] = columns.checkpoint }
            return batch
        }
        .weighing { $0.source.weight }
    }

    private func add(_ split: PlannedSplit, to records: Pipeline<RecordBatch>, _ workers: Concurrency) -> Pipeline<RecordBatch> {
        records.map(split.name, concurrency: workers, queue: 2, onError: .stop) { [meter] batch in
            if let part = batch.part(in: split.flow), let bound = part.stretch.split { try bound.run(part) }
            meter.pass(batch.counts[split.place].out, at: split.place)
            return batch
        }
    }

    private func add(
        _ stage: PlannedStage, to records: Pipeline<RecordBatch>, _ checkpointing: Checkpointing?, isTask: Bool
    ) -> Pipeline<RecordBatch> {
        let number = stage.number
        let (flow, place) = (stage.flow, stage.place)
        let name = stage.name
        let workers = Concurrency.within(stage.batches(threads: options.workers))
        let queue = stage.settings.pool.queue ?? 2
        switch stage.step {
        case .each:
            return records.map(name, concurrency: workers, queue: queue, onError: .stop) { [meter] batch in
                guard let part = batch.part(in: flow), case .each(let bound) = part.stretch.stage(number) else { return batch }
                try await bound.run(part)
                meter.pass(batch.counts[place].out, at: place)
                return batch
            }
            .weighing { $0.weight }
        case .ordered(let step):
            return records.inOrder(
                name, state: (), onError: .stop,
                until: { [meter] _, batch in
                    var hasEnough = false
                    if let part = batch.part(in: flow), case .ordered(let bound) = part.stretch.stage(number) {
                        hasEnough = try bound.run(part) == .enough && stage.mayEndRun
                        meter.pass(batch.counts[place].out, at: place)
                    }
                    if batch.takesCheckpoint {
                        batch.steps.append(Checkpoint.StepState(stage: name, state: try step.checkpoint()))
                    }
                    return hasEnough ? .last(batch) : .pass(batch)
                }
            ).weighing { $0.weight }
        case .closing(let step):
            let results = ResultBatches(of: step, stage, plan, scratches, most: min(ResultBatches.most, pipeline.flow.mostRecords))
            let (intake, isResumable) = (plan.intake(of: stage), checkpointing != nil)
            let taken = records.map(name, concurrency: workers, queue: queue, onError: .stop) { batch in
                guard let part = batch.part(in: flow), case .closing(let bound) = part.stretch.stage(number) else { return batch }
                try intake?.take(part, with: bound, isResumable: isResumable)
                return batch
            }
            if isTask { return taken.weighing { $0.weight } }
            return taken.appending("\(name): results") {
                intake?.close()
                return try results.next()
            }
            .weighing { $0.weight }
        }
    }
}
