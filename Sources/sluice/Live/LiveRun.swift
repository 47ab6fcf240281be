import FoundationEssentials
import SluiceDashboard
import SluiceRecords
import Synchronization

/// What the dashboard shows of a run, and does to it.
final class LiveRun: DashboardContent {
    struct Ended {
        var report: RunReport
        /// The state folder.
        var folder: String
        var status: ExitStatus
    }

    private struct State {
        var recent = RecentSamples()
        var rates = LiveRates()
        var ended: Ended?
    }

    private let run: RecordRun
    private let drainRun: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameter drain: ends the run early.
    init(_ run: RecordRun, drain: @escaping @Sendable () -> Void) {
        (self.run, drainRun) = (run, drain)
    }

    func end(_ report: RunReport, state folder: String, _ status: ExitStatus) {
        state.withLock { $0.ended = Ended(report: report, folder: folder, status: status) }
    }

    /// How things stand.
    private var view: LiveView {
        let live = run.live ?? run.beginning
        return state.withLock { state in
            if state.ended == nil {
                state.recent.add(live.samples.samples.last)
                state.rates.note(live.samples)
            }
            return LiveView(live, recent: state.recent.window(of: live.samples), rates: state.rates, ended: state.ended)
        }
    }

    private var ended: Ended? { state.withLock { $0.ended } }

    func page(after event: String) throws -> [UInt8] {
        if let ended { return try ReportPage(ended.report, state: ended.folder).html }
        return try ReportPage(view, isWhole: true, after: event).html
    }

    func event(isWhole: Bool) throws -> [UInt8] { try ReportPage(view, isWhole: isWhole, after: nil).model.json }

    func lastEvent() throws -> [UInt8] {
        guard let ended else { return Array("null".utf8) }
        return try ReportPage(ended.report, state: ended.folder).model.json
    }

    func status() throws -> [UInt8] { try LiveStatus(view).json }

    func metrics() throws -> [UInt8] { Array(LiveMetrics.text(view).utf8) }

    func samples() throws -> [UInt8] {
        var samples = (run.live ?? run.beginning).samples
        if let report = ended?.report { samples.report = report.digest ?? report.ownDigest }
        return try samples.json()
    }

    func drain() throws(DashboardRefusal) {
        guard ended == nil else { throw DashboardRefusal(409, "state", "the run has ended") }
        drainRun()
    }

    func resize(_ stage: String, to workers: Int) throws(DashboardRefusal) {
        do throws(RecordRun.ResizeRefusal) {
            if ended != nil { throw .notRunning }
            try run.resize(stage, to: workers)
        } catch {
            throw DashboardRefusal(error, stage: stage, workers: workers)
        }
    }
}

extension DashboardRefusal {
    init(_ refusal: RecordRun.ResizeRefusal, stage: String, workers: Int) {
        switch refusal {
        case .noSuchStep(let names):
            self.init(422, "stage", "there is no stage '\(stage)'; there are \(names.map { "'\($0)'" }.joined(separator: ", "))")
        case .fixed(let reason): self.init(409, "fixed", "the workers of '\(stage)' cannot be changed: \(reason)")
        case .outOfRange(let range): self.init(422, "range", "'\(stage)' can have \(range.lowerBound) to \(range.upperBound) workers, not \(workers)")
        case .notRunning: self.init(409, "state", "the run has not begun, or has ended")
        }
    }
}
