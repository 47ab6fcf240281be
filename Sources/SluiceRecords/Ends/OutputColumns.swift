import Sluice
import SluiceCEL
import Synchronization

/// The columns of outputs that begin with their column names, for the case that only the records
/// determine the fields.
///
/// An output gets its columns from the first batch that brings it any: the fields that records can
/// have there or, for JSON, those that its records do have, in the order in which they first occur.
/// Batches are settled in the order of the input, so the columns depend on the input alone.
final class OutputColumns: Sendable {
    let sink: PlannedSink
    private let known = Locked<[Name: [String]]>([:])

    init(_ sink: PlannedSink) {
        self.sink = sink
    }

    /// Determines the outputs of the batch's records, and the fields that it brings to new outputs.
    /// May be called in any order.
    func route(_ batch: RecordBatch, _ files: RunFiles) throws {
        guard let batch = batch.part(in: sink.flow), let sink = batch.stretch.sink else { return }
        batch.counts[sink.site.index].in += batch.rows.count
        var routing = Routing()
        if let path = sink.constant {
            routing.outputs = [Routing.Output(path: path)]
        } else {
            try routing.divide(batch, OutputPaths(sink, over: batch, files), sink.site)
        }
        known.withLock { known in
            for place in routing.outputs.indices { routing.outputs[place].columns = known[Name(routing.outputs[place].path)] }
        }
        routing.gatherFields(of: batch)
        batch.routing = routing
    }

    /// Must be called between two batches.
    var checkpoint: [SinkCheckpoint.Columns] {
        known.withLock { known in
            known.sorted { $0.key < $1.key }.map { SinkCheckpoint.Columns(output: $0.key.text, columns: $0.value) }
        }
    }

    func restore(_ columns: [SinkCheckpoint.Columns]) {
        known.withLock { known in
            for entry in columns { known[Name(entry.output)] = entry.columns }
        }
    }

    /// Fixes the columns of new outputs. To be called in the order of the input.
    func settle(_ batch: RecordBatch) {
        guard let batch = batch.part(in: sink.flow) else { return }
        known.withLock { known in batch.routing?.settle(&known) }
    }
}

/// The outputs of a batch's records.
struct Routing: Sendable {
    struct Output: Sendable {
        let path: String
        /// `nil` if no batch has brought any yet.
        var columns: [String]?
        /// The fields that this batch brings; not collected if `columns` are known.
        var fields: [String] = []
    }

    var outputs: [Output] = []
    /// The output of each remaining row, in order; empty if there is only one output.
    private(set) var places: [UInt32] = []

    func place(of row: Int) -> Int { places.isEmpty ? 0 : Int(places[row]) }

    /// Removes the rows whose path cannot be evaluated.
    fileprivate mutating func divide(_ batch: RecordBatch, _ paths: OutputPaths, _ site: StageSite) throws {
        var (outputs, places) = (outputs, places)
        try site.keep(in: batch) { (row) throws(RecordFailure) in
            places.append(UInt32(try paths.place(of: row) { outputs.append(Output(path: $0)) }))
            return true
        }
        (self.outputs, self.places) = (outputs, places)
    }

    fileprivate mutating func gatherFields(of batch: RecordBatch) {
        guard outputs.contains(where: { $0.columns == nil }) else { return }
        let fields = batch.stretch.fields
        guard fields.shape.base == .json else {
            let names = fields.shape.fieldNames
            for place in outputs.indices where outputs[place].columns == nil { outputs[place].fields = names }
            return
        }
        var seen = Array(repeating: Swift.Set<Name>(), count: outputs.count)
        for (index, row) in batch.rows.enumerated() {
            let place = place(of: index)
            guard outputs[place].columns == nil else { continue }
            for name in fields.json(Int(row), of: batch).withFilled(JSONMembers.names) where seen[place].insert(Name(name)).inserted {
                outputs[place].fields.append(name)
            }
        }
    }

    fileprivate mutating func settle(_ known: inout [Name: [String]]) {
        for place in outputs.indices where outputs[place].columns == nil {
            let name = Name(outputs[place].path)
            if known[name] == nil, !outputs[place].fields.isEmpty { known[name] = outputs[place].fields }
            outputs[place].columns = known[name]
        }
    }
}
