import FoundationEssentials
import SluiceRecords

/// Watches a run by the address of its dashboard.
final class DashboardWatch: RunWatch {
    private let client: HTTPClient

    /// The time between two looks, and between samples, which are larger.
    private static let (pause, samplesPause) = (Duration.seconds(1), 10.0)
    /// How long one look may take.
    private static let timeout = Duration.seconds(5)
    /// How often in a row there may be no answer before there is none any more.
    private let mostFailures: Int

    /// - Parameter mostFailures: `nil`: it is asked for as long as the command runs.
    /// - Throws: if it is not an address.
    init(_ address: String, mostFailures: Int? = nil) throws(HTTPClient.Failure) {
        client = try HTTPClient(address, timeout: Self.timeout)
        self.mostFailures = mostFailures ?? .max
    }

    var isLive: Bool { true }

    func updates() -> AsyncStream<TopView.Event> {
        let (stream, feed) = AsyncStream<TopView.Event>.makeStream(bufferingPolicy: .bufferingNewest(4))
        let task = Task {
            var course = LiveCourse()
            var failures = 0
            while !Task.isCancelled {
                do throws(HTTPClient.Failure) {
                    feed.yield(.course(try await look(&course)))
                    failures = 0
                    if course.hasEnded { break }
                } catch {
                    failures += 1
                    feed.yield(.problem(error.status == 401 || error.status == 403 ? "\(client.place) refuses the token: \(error)" : "\(error)"))
                    if failures >= mostFailures { break }
                }
                do { try await ContinuousClock().sleep(for: Self.pause) } catch { break }
            }
            feed.finish()
        }
        feed.onTermination = { _ in task.cancel() }
        return stream
    }

    private func look(_ course: inout LiveCourse) async throws(HTTPClient.Failure) -> RunCourse {
        let status = try RunStatus(json: try await client.get("/status"))
        course.meet(status)
        if course.needsSamples(for: status, every: Self.samplesPause) { course.take(try RunSamples(live: try await client.get("/samples"))) }
        return course.next(status)
    }

    func perform(_ command: TopView.Command) async -> String {
        do throws(HTTPClient.Failure) {
            switch command {
            case .drain:
                _ = try await client.post("/drain", "{}")
                return "the run is being drained: it finishes what is in flight"
            case .resize(let stage, let workers):
                _ = try await client.post("/resize", "{\"stage\":\(LogEntry.quoted(stage)),\"workers\":\(workers)}")
                return "'\(stage)' was given \(workers == 1 ? "1 worker" : "\(Figures.count(workers)) workers")"
            case .quit, .interrupt, .suspend: return ""
            }
        } catch {
            return "nothing was done: \(error)"
        }
    }
}

extension RunSamples {
    /// - Parameter json: from a dashboard.
    init(live json: [UInt8]) throws(HTTPClient.Failure) {
        do {
            self = try RunSamples(json: json)
        } catch {
            throw HTTPClient.Failure("the samples are not those of a run: it may be another version of sluice, or another server")
        }
    }
}

/// What a dashboard says of its run: `GET /status`.
struct RunStatus: Decodable, Equatable {
    enum State: String, Decodable {
        case running, draining, ended
    }

    struct Stage: Decodable, Equatable {
        var name: String
        var kind: String
        var workers: Int
        var queued: Int?
        var busyShare: Double?
        var recordsOut: Int?
        var recordsPassed: Int?
        var dead: Int?
        var resizable: Bool?
    }

    struct Letters: Decodable, Equatable {
        var stage: String
        var code: String
        var message: String
        var count: Int
    }

    var pipeline: String
    var state: State
    var began: Double?
    var seconds: Double
    var share: Double?
    var etaSeconds: Double?
    var records: Int
    var recordsInStages: Int?
    var bottleneck: String?
    var damagedPlaces: Int?
    var written: Int
    var dead: Int
    var textBytes: Int
    var compressedBytes: Int?
    var stages: [Stage]
    var deadLetters: [Letters]?
    var exit: Int?

    init(json: [UInt8]) throws(HTTPClient.Failure) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(RunStatus.self, from: Data(json))
        } catch {
            throw HTTPClient.Failure("the status is not that of a run: it may be another version of sluice, or another server")
        }
    }
}

/// The course of a run from its samples up to some moment, and what was seen of it since then.
struct LiveCourse {
    private var samples: RunSamples?
    /// Since the last sample but one, in the order of time.
    private var seen: [RunStatus] = []
    private(set) var hasEnded = false
    /// When the run began.
    private var began: Double?

    /// What was seen is a few moments, since samples come every ten seconds.
    private static let most = 600

    func needsSamples(for status: RunStatus, every seconds: Double) -> Bool {
        guard let last = samples?.samples.last else { return !status.stages.isEmpty }
        return status.state == .ended || status.seconds - Double(last.time) / 1e6 >= seconds
    }

    /// Forgets what is known if another run has taken the address.
    mutating func meet(_ status: RunStatus) {
        if let began, began != status.began { self = LiveCourse() }
        began = status.began
    }

    mutating func take(_ samples: RunSamples) {
        self.samples = samples
        // The last one is of this moment; the one before it may be minutes old.
        let before = Double(samples.samples.dropLast().last?.time ?? 0) / 1e6
        seen.removeAll { $0.seconds <= before }
    }

    mutating func next(_ status: RunStatus) -> RunCourse {
        if status.seconds > seen.last?.seconds ?? -1 { seen.append(status) }
        seen = seen.suffix(Self.most)
        hasEnded = status.state == .ended
        var course = samples.map { RunCourse($0, report: nil, isRunning: true) } ?? RunCourse()
        course.pipeline = status.pipeline
        course.phase = Self.phase(status)
        (course.share, course.secondsLeft, course.damage) = (status.share, status.etaSeconds, status.damagedPlaces)
        course.bottleneck = hasEnded ? samples.flatMap { Bottleneck($0).stage } : status.bottleneck
        course.letters = (status.deadLetters ?? []).map { RunCourse.Letters(stage: $0.stage, code: $0.code, message: $0.message, count: $0.count) }
        if course.steps.isEmpty { course.steps = status.stages.map(RunCourse.Step.init) }
        for index in course.steps.indices {
            guard let stage = status.stages.first(where: { $0.name == course.steps[index].name }) else { continue }
            course.steps[index].isResizable = stage.resizable ?? false
        }
        course.add(seen)
        return course
    }

    private static func phase(_ status: RunStatus) -> RunCourse.Phase {
        switch status.state {
        case .running: .running
        case .draining: .draining
        case .ended:
            switch status.exit ?? 0 {
            case ExitStatus.complete.code.asInt: .ended(.complete)
            case ExitStatus.losses.code.asInt: .ended(.losses)
            case 128...: .ended(.interrupted)
            default: .ended(.failed)
            }
        }
    }
}

extension Int32 {
    fileprivate var asInt: Int { Int(self) }
}

extension RunCourse.Step {
    fileprivate init(_ stage: RunStatus.Stage) {
        self.init(
            name: stage.name, kind: RunSamples.Step.Kind(rawValue: stage.kind) ?? .stage, workers: stage.workers, isResizable: stage.resizable ?? false)
    }
}

extension RunCourse {
    /// Adds what was seen before and after the last moment, which is a sample.
    fileprivate mutating func add(_ seen: [RunStatus]) {
        var last = moments.popLast()
        let time = last?.time ?? -1
        for status in seen where status.seconds < time { moments.append(moment(of: status, after: last)) }
        for (index, step) in steps.enumerated() where last != nil {
            // Totals say nothing beside moments that have none.
            last?.steps[index].share = seen.last?.stages.first { $0.name == step.name }?.busyShare
        }
        if let last { moments.append(last) }
        for status in seen where status.seconds > time { moments.append(moment(of: status, after: last ?? moments.last)) }
    }

    /// A moment that was seen: what it does not say is as in another.
    fileprivate func moment(of status: RunStatus, after other: Moment?) -> Moment {
        var moment = other ?? Moment(steps: steps.map { Moment.Step(workers: $0.workers) })
        (moment.time, moment.records, moment.written, moment.dead) = (status.seconds, status.records, status.written, status.dead)
        (moment.textBytes, moment.inStages) = (status.textBytes, status.recordsInStages ?? 0)
        if let bytes = status.compressedBytes { moment.compressedBytes = bytes }
        for index in steps.indices {
            guard let stage = status.stages.first(where: { $0.name == steps[index].name }) else { continue }
            moment.steps[index].queued = stage.queued ?? 0
            moment.steps[index].workers = stage.workers
            // A share of late, where the total is not known.
            (moment.steps[index].busy, moment.steps[index].share) = (nil, stage.busyShare)
            if let out = stage.recordsPassed ?? stage.recordsOut { moment.steps[index].out = Double(out) }
            if let dead = stage.dead { moment.steps[index].dead = dead }
        }
        return moment
    }
}
