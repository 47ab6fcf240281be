import FoundationEssentials
import Glibc
import SluiceRecords

/// Watches the files in a state folder.
struct FolderWatch: RunWatch {
    let folder: String

    var isLive: Bool { false }

    /// How often the files are looked at. A run replaces them every ten seconds.
    private static let pause = Duration.seconds(1)

    func updates() -> AsyncStream<TopView.Event> {
        let (stream, feed) = AsyncStream<TopView.Event>.makeStream(bufferingPolicy: .bufferingNewest(2))
        let task = Task {
            var known = FolderContents()
            while !Task.isCancelled {
                let event = known.next(in: folder)
                if let event { feed.yield(event) }
                if case .course(let course) = event, !course.isOpen { break }
                do { try await ContinuousClock().sleep(for: Self.pause) } catch { break }
            }
            feed.finish()
        }
        feed.onTermination = { _ in task.cancel() }
        return stream
    }

    func perform(_ command: TopView.Command) async -> String { "this view only reads files" }
}

/// What was read of a state folder, so that it is read again only where it has changed.
struct FolderContents {
    private var stamps: [FileStamp?] = []
    private var course: RunCourse?

    /// - Returns: `nil` if there is nothing new.
    mutating func next(in folder: String) -> TopView.Event? {
        let isRunning = StateInspection.isRunning(folder)
        let stamps = [FileStamp("\(folder)/\(RunSamples.name)"), FileStamp("\(folder)/report.json"), isRunning ? FileStamp.none : nil]
        if stamps != self.stamps || course == nil {
            self.stamps = stamps
            guard let read = RunCourse(state: folder, isRunning: isRunning) else {
                return course == nil && !isRunning ? .problem("there is no report in '\(folder)', and there are no samples") : nil
            }
            course = read
        }
        guard var course else { return nil }
        course.age = stamps[0].map { max(0, FileStamp.now - $0.seconds) }
        return .course(course)
    }
}

/// When a file was written.
struct FileStamp: Equatable {
    /// Since 1970.
    var seconds: Double
    var number: UInt64

    static let none = FileStamp(seconds: 0, number: 0)
    static var now: Double { Date().timeIntervalSince1970 }

    private init(seconds: Double, number: UInt64) { (self.seconds, self.number) = (seconds, number) }

    /// `nil` if there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        seconds = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
        number = UInt64(status.st_ino)
    }
}

extension RunCourse {
    /// The last run of a state folder; `nil` if nothing is known of one.
    init?(state folder: String, isRunning: Bool) {
        let report: RunReport?
        do throws(RunError) { report = try RunReport(contentsOf: "\(folder)/report.json") } catch { report = nil }
        guard let samples = RunSamples(state: folder), !samples.samples.isEmpty || report == nil || samples.report == nil else {
            guard let report, !isRunning else { return nil }
            self.init(report)
            return
        }
        // A report of another run says nothing of this one.
        let own = samples.report.flatMap { digest in report.flatMap { $0.digest ?? $0.ownDigest == digest ? $0 : nil } }
        if own == nil, samples.report != nil, let report, !isRunning {
            self.init(report)
            return
        }
        self.init(samples, report: own, isRunning: isRunning)
    }
}

/// The state folders below a folder, for a view that was told none.
struct KnownRuns {
    struct Found: Equatable {
        var folder: String
        /// When its samples or its report were written, in seconds since 1970.
        var written: Double
        var isRunning: Bool
    }

    let found: [Found]

    init(_ found: [Found]) { self.found = found }

    /// - Parameter root: usually `.sluice`. Replays have state folders in those of their pipelines.
    init(below root: String) {
        var found: [Found] = []
        for name in Self.names(in: root) {
            for folder in ["\(root)/\(name)", RecordPipeline.replayFolder(in: "\(root)/\(name)")] {
                let stamps = [FileStamp("\(folder)/\(RunSamples.name)"), FileStamp("\(folder)/report.json")].compactMap { $0?.seconds }
                guard let written = stamps.max() else { continue }
                found.append(Found(folder: folder, written: written, isRunning: StateInspection.isRunning(folder)))
            }
        }
        self.init(found)
    }

    private static func names(in root: String) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: root).sorted() } catch { return [] }
    }

    /// The newest of those that are running; if none is, the newest.
    var best: Found? {
        let running = found.filter(\.isRunning)
        return (running.isEmpty ? found : running).max { ($0.written, $1.folder) < ($1.written, $0.folder) }
    }

    /// What to say if there was a choice.
    var notice: String? {
        guard let best else { return nil }
        let others = found.filter { $0.isRunning && $0 != best }.sorted { $0.folder < $1.folder }.map(\.folder)
        if !best.isRunning { return found.count > 1 ? "no run is going on; this is the last one, in \(best.folder)" : nil }
        return others.isEmpty ? nil : "this is the newest of \(others.count + 1) runs; others: \(others.joined(separator: ", "))"
    }
}
