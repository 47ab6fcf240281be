import Logging
import Sluice

/// What a run of records logs; docs/library.md lists the messages. Nothing is logged for a record
/// that does not fail.
struct RunEvents: Sendable {
    let logger: Logger

    func began(_ pipeline: RecordPipeline, workers: Int) {
        logger.info(
            "run began",
            metadata: [
                "sluice.pipeline": .string(pipeline.name), "sluice.definition": .string(pipeline.definition),
                "sluice.inputs": .stringConvertible(pipeline.source.inputs.count), "sluice.workers": .stringConvertible(workers),
            ])
    }

    /// Such as that an unfinished run is resumed.
    func noticed(_ text: String) { logger.notice("\(text)") }

    /// The first record that has failed with a code.
    func failed(_ code: String, _ failure: RunReport.Failure) {
        var metadata: Logger.Metadata = [
            "sluice.stage": .string(failure.stage), "error.type": .string(code), "exception.message": .string(failure.message),
        ]
        if let file = failure.file { metadata["file.path"] = .string(file) }
        if let line = failure.line { metadata["sluice.line"] = .stringConvertible(line) }
        logger.warning("record failed", metadata: metadata)
    }

    /// The first damage of an input.
    func damaged(_ path: String, _ damage: Damage) {
        logger.warning(
            "input damaged",
            metadata: ["file.path": .string(path), "error.type": .string(damage.kind.rawValue), "sluice.offset": .stringConvertible(damage.offset)])
    }

    func tookCheckpoint(records: Int) { logger.debug("checkpoint taken", metadata: ["sluice.records": .stringConvertible(records)]) }

    func drains() { logger.notice("run is draining") }

    func ended(_ report: RunReport) {
        let records = report.records
        var metadata: Logger.Metadata = [
            "sluice.pipeline": .string(report.pipeline), "sluice.read": .stringConvertible(records.read), "sluice.written": .stringConvertible(records.written),
            "sluice.filtered": .stringConvertible(records.filtered), "sluice.dead": .stringConvertible(records.dead),
            "sluice.seconds": .stringConvertible(report.elapsedSeconds),
        ]
        switch report.status {
        case .complete: logger.info("run complete", metadata: metadata)
        case .losses: logger.warning("run complete, with losses", metadata: metadata)
        case .interrupted: logger.notice("run interrupted", metadata: metadata)
        case .failed:
            if let error = report.error { metadata["exception.message"] = .string(error) }
            logger.error("run failed", metadata: metadata)
        }
    }
}
