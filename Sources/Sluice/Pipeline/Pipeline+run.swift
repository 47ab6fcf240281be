internal import WorkerPools

extension Pipeline {
    /// Runs the pipeline to its end.
    ///
    /// Cancelling the calling task drains the run, as ``RunControl/drain()`` does; to break it off,
    /// call ``RunControl/cancel()``. When this returns or throws, every closure and sink has
    /// returned and no job is left.
    ///
    /// - Throws: ``PipelineFailure`` with the reason and the report so far. Dead letters and drops
    ///   are not failures.
    @discardableResult
    public func run(_ control: RunControl = RunControl()) async throws(PipelineFailure) -> Report {
        let log = settings.logger.map { RunLog(logger: $0) }
        var settings = settings
        if let log { settings.onFailure = log.observing(settings.onFailure) }
        var layout = Layout(settings: settings, control: control)
        let ending = Ending<Element>(ledger: layout.plan.ledger, deadLetters: settings.deadLetters)
        attach(.serial(ending), &layout)
        let plan = layout.plan
        control.begin(plan)
        log?.began(plan)
        // Not a child, since a child would be cancelled with the caller and could not drain.
        let whole = Task(executorPreference: settings.executor) { [executor = settings.executor] in await plan.perform(under: control, on: executor) }
        control.owns(whole: whole)
        let result = await withTaskCancellationHandler {
            await whole.value
        } onCancel: {
            control.drain()
        }
        log?.ended(result)
        return try result.get()
    }
}

extension RunPlan {
    fileprivate func perform(
        under control: RunControl, on executor: (any TaskExecutor)?
    ) async -> Result<Report, PipelineFailure> {
        await withDiscardingTaskGroup { group in
            for forwarder in forwarders { group.addTask { await forwarder.forward() } }
            await readAndCommit(under: control, on: executor)
            for stage in stages { await stage.pool?.drain() }
            for forwarder in forwarders { forwarder.finish() }
        }
        let result = outcome(control)
        switch result {
        case .success(let report): control.end(report)
        case .failure(let failure): control.end(failure.report)
        }
        return result
    }

    private func readAndCommit(under control: RunControl, on executor: (any TaskExecutor)?) async {
        // Apart from the committers, because a drain cancels the reading only.
        let reading = Task(executorPreference: executor) {
            await withDiscardingTaskGroup { group in
                for reader in readers { group.addTask { await reader() } }
            }
        }
        control.owns(reading: reading)
        await withDiscardingTaskGroup { group in
            for segment in segments {
                group.addTask {
                    do throws(PipelineError) {
                        try await segment.commit()
                    } catch .drained {
                        control.giveUpRest()
                    } catch {
                        control.close(because: error)
                    }
                }
            }
        }
        // What is still under way now was given up: it comes after the place where the run stopped.
        if control.isReadingStopped { control.giveUpRest() }
        await reading.value
    }

    private func outcome(_ control: RunControl) -> Result<Report, PipelineFailure> {
        if let reason = control.failure {
            return .failure(PipelineFailure(reason: reason, report: report(.failed)))
        }
        var report = report(.complete)
        report.enough = control.abandoned == nil ? control.enough : nil
        report.abandoned = control.abandoned
        if control.isDrained && !report.hadEnough {
            report.status = .interrupted
            return .success(report)
        }
        if report.dead + report.dropped > 0 { report.status = .losses }
        guard report.balanced else {
            report.status = .failed
            return .failure(PipelineFailure(reason: .unbalanced, report: report))
        }
        return .success(report)
    }
}
