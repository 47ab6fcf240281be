public import Logging
internal import Synchronization

extension Pipeline {
    /// Logs how each run begins and ends, and the first failure of each stage. Without this,
    /// nothing is logged.
    ///
    /// | level | message | metadata |
    /// | --- | --- | --- |
    /// | debug | `run began` | `sluice.stages` |
    /// | warning | `element failed`, for the first element that each stage refuses | `sluice.stage`, `sluice.place`, `sluice.attempts`, `exception.type`, `exception.message` |
    /// | info | `run complete`; `run interrupted` | `sluice.read`, `sluice.written`, `sluice.filtered`, `sluice.dropped`, `sluice.dead`, `sluice.seconds` |
    /// | warning | `run complete, with losses` | the same |
    /// | error | `run failed` | the same, and `exception.message` |
    ///
    /// Elements that do not fail cost nothing.
    public func logging(to logger: Logger) -> Self { with { $0.logger = logger } }
}

/// The log of one run.
struct RunLog: Sendable {
    let logger: Logger

    func began(_ plan: RunPlan) {
        logger.debug("run began", metadata: ["sluice.stages": .array(plan.stages.map { .string($0.ledger.name) })])
    }

    /// Calls the closure of a program, if it has one, and logs the first failure of each stage.
    func observing(_ callback: (@Sendable (DeadLetter) -> Void)?) -> @Sendable (DeadLetter) -> Void {
        let seen = Locked<Set<String>>([])
        return { [logger] letter in
            callback?(letter)
            guard seen.withLock({ $0.insert(letter.stage).inserted }) else { return }
            logger.warning(
                "element failed",
                metadata: [
                    "sluice.stage": .string(letter.stage), "sluice.place": .string("\(letter.place)"), "sluice.attempts": .stringConvertible(letter.attempts),
                    "exception.type": .string("\(type(of: letter.error))"), "exception.message": .string("\(letter.error)"),
                ])
        }
    }

    func ended(_ result: Result<Report, PipelineFailure>) {
        switch result {
        case .success(let report):
            switch report.status {
            case .losses: logger.warning("run complete, with losses", metadata: Self.counts(report))
            case .interrupted: logger.info("run interrupted", metadata: Self.counts(report))
            case .complete, .running, .failed: logger.info("run complete", metadata: Self.counts(report))
            }
        case .failure(let failure):
            var metadata = Self.counts(failure.report)
            metadata["exception.message"] = .string("\(failure.reason)")
            logger.error("run failed", metadata: metadata)
        }
    }

    private static func counts(_ report: Report) -> Logger.Metadata {
        [
            "sluice.read": .stringConvertible(report.read), "sluice.written": .stringConvertible(report.written),
            "sluice.filtered": .stringConvertible(report.filtered), "sluice.dropped": .stringConvertible(report.dropped),
            "sluice.dead": .stringConvertible(report.deadLetters), "sluice.seconds": .stringConvertible(report.elapsed / .seconds(1)),
        ]
    }
}
