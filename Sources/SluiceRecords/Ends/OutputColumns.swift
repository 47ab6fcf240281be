import Sluice
import SluiceCEL
import Synchronization

/// The columns of outputs that must name them before their first record, where only the records
/// tell the fields.
///
/// An output has the fields of the first batch that brings it any: those that records can have
/// there, or of JSON those that they have, in the order in which they are first seen. As the
/// batches are settled in the order of the input, an output's columns depend on the input alone.
final class OutputColumns: Sendable {
    let sink: PlannedSink
    private let known = Locked<[Name: [String]]>([:])

    init(_ sink: PlannedSink) {
        self.sink = sink
    }

    /// Finds out which outputs the batch's records go to, and the fields that it brings to new
    /// ones. In any order.
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

    /// In the order of the input.
    func settle(_ batch: RecordBatch) {
        guard let batch = batch.part(in: sink.flow) else { return }
        known.withLock { known in batch.routing?.settle(&known) }
    }
}

/// Where a batch's records go.
struct Routing: Sendable {
    struct Output: Sendable {
        let path: String
        /// `nil` where no batch has brought any yet.
        var columns: [String]?
        /// The fields that this batch brings; not looked for where there are columns.
        var fields: [String] = []
    }

    var outputs: [Output] = []
    /// For each row on its way, in order; none where there is but one output.
    private(set) var places: [UInt32] = []

    func place(of row: Int) -> Int { places.isEmpty ? 0 : Int(places[row]) }

    /// Leaves out the rows whose path fails.
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
