package import Sluice
import SluiceCEL

/// A pipeline as it would run: its ledger lines, each with its pool and the fields after it.
package struct PipelineOutline: Sendable {
    package struct Place: Sendable {
        /// The name in reports and dead letters.
        package var name: String
        /// The verb of a stage, the format of the source, or `write` for a sink.
        package var verb: String
        package var kind: Kind
        /// The place that records come from; `nil` for the source.
        package var before: Int?
        /// The number of batches in the stage at once; for `exec`, of records.
        package var workers: ClosedRange<Int>?
        /// The number of batches that may wait.
        package var queue: Int?
        package var timeout: Duration?
        package var retry: RetryPolicy?
        package var onError: FailurePolicy?
        /// The fields of the records that leave this place; `nil` if unknown.
        package var fields: Schema?
    }

    package enum Kind: Sendable {
        case source
        /// Batches in any order, concurrently.
        case each
        /// One batch at a time, in input order.
        case ordered
        /// Takes in all records, and returns others at the end of the input.
        case closing
        case routes
        case sink(SinkSettings)
    }

    /// The source, then stages and sinks, routes one after the other.
    package private(set) var places: [Place]

    /// - Parameter threads: the number of threads for all stages together.
    package init(_ pipeline: RecordPipeline, threads: Int) {
        var planning = Planning(pipeline.source, .standard)
        _ = planning.plan(pipeline.flow, route: nil)
        var sinks = planning.sinks[...]
        places = planning.places.enumerated().map { index, planned in
            var place = Place(name: planned.name, verb: planned.verb, kind: .source, before: planned.before)
            if index == 0 {
                place.workers = 1...threads
                place.queue = 2
                place.fields = pipeline.source.format.schema
            } else if let stage = planned.stage {
                let settings = stage.settings
                place.kind =
                    switch stage.step {
                    case .each: .each
                    case .ordered: .ordered
                    case .closing: .closing
                    }
                place.workers = stage.ownWorkers?.range ?? stage.batches(threads: threads)
                place.queue = settings.pool.queue ?? 2
                place.timeout = settings.pool.timeout
                place.retry = settings.pool.retry
                place.onError = settings.onError
                place.fields = settings.fields
            } else if let sink = sinks.first, sink.place == index {
                sinks = sinks.dropFirst()
                place.kind = .sink(sink.settings)
                place.workers = 1...threads
                place.queue = 2
            } else {
                place.kind = .routes
            }
            return place
        }
    }
}

extension PathTemplate {
    /// The path roughly as written: `out/{status}.jsonl`.
    package var text: String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .value(let program): "{\(program.text)}"
            }
        }.joined()
    }
}
