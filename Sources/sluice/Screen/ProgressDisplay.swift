import ArgumentParser
import SluiceRecords

/// Shows the progress of a run.
struct ProgressDisplay {
    enum Mode: String, CaseIterable, ExpressibleByArgument, Sendable {
        case auto, plain, none
    }

    private let stream: Terminal
    /// The time between lines; `nil` shows nothing.
    private let interval: Duration?
    private let overwrites: Bool

    init(mode: Mode, stream: Terminal) {
        self.stream = stream
        overwrites = mode == .auto && stream.takesCodes && !Log.isJSON
        interval =
            switch mode {
            case .none: nil
            case .plain: .seconds(1)
            case .auto: overwrites ? .milliseconds(100) : .seconds(10)
            }
    }

    /// Shows the progress of `run` until `body` has returned.
    func show<Result: Sendable>(_ run: RecordRun, during body: () async throws -> Result) async throws -> Result {
        guard let interval else { return try await body() }
        let lines = Task { await writeLines(run, every: interval) }
        do {
            let result = try await body()
            await end(lines)
            return result
        } catch {
            await end(lines)
            throw error
        }
    }

    private func end(_ lines: Task<Void, Never>) async {
        lines.cancel()
        await lines.value
        if overwrites { stream.write("\r\u{1B}[2K") }
    }

    private func writeLines(_ run: RecordRun, every interval: Duration) async {
        let clock = ContinuousClock()
        let start = clock.now
        // Batches of slow stages are committed some seconds apart.
        var rate = SteadyRate(over: 10)
        rate.note(0, at: 0)
        var left = TimeLeft()
        while true {
            do { try await clock.sleep(for: interval) } catch { return }
            let elapsed = (clock.now - start) / .seconds(1)
            let now = run.progress
            rate.note(Double(now.textBytes) - Double(now.restoredTextBytes), at: elapsed)
            var line = ProgressLine(now, bytesPerSecond: rate.perSecond)
            line.secondsLeft = line.share.flatMap { left.next(share: $0, at: elapsed) }
            Log.write(overwrites ? line.overwriting(width: stream.width) : line.text + "\n", or: [line.entry])
        }
    }
}

extension ProgressLine {
    init(_ progress: RunProgress, bytesPerSecond: Double?) {
        self.init(
            records: progress.records, inStages: progress.inStages, deadLetters: progress.deadLetters, share: progress.share, bytesPerSecond: bytesPerSecond)
    }
}
