import Foundation

@testable import SluiceRecords

/// A folder of this process for the files of a fuzzer, in memory if there is such a file system:
/// runs sync what they write.
struct FuzzFolder: Sendable {
    let path: String

    init(_ name: String) {
        let root = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm/" : NSTemporaryDirectory()
        path = root + "sluice-fuzz-\(ProcessInfo.processInfo.processIdentifier)-\(name)"
        empty()
    }

    func empty() {
        try? FileManager.default.removeItem(atPath: path)
        makeFolder("")
    }

    func makeFolder(_ name: String) {
        let folder = "\(path)/\(name)"
        require((try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)) != nil, "cannot create \(folder)")
    }

    func remove(_ name: String) { try? FileManager.default.removeItem(atPath: "\(path)/\(name)") }

    func write(_ bytes: some Sequence<UInt8>, to name: String) {
        require(FileManager.default.createFile(atPath: "\(path)/\(name)", contents: Data(bytes)), "cannot write to \(path)")
    }

    /// `nil` if there is no such file.
    func bytes(of name: String) -> [UInt8]? { FileManager.default.contents(atPath: "\(path)/\(name)").map(Array.init) }

    /// The names in a folder.
    func names(in name: String) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)")) ?? [] }
}

/// Runs a pipeline with one worker to its end.
///
/// - Returns: `nil` if the run could not begin, which must have a reason.
func finishedRun(of pipeline: RecordPipeline, state: String, gathering: GatheredTasks? = nil) -> RunReport? {
    var options = RunOptions(workers: 1, state: state)
    options.restarts = true
    let run = RecordRun(pipeline, options: options, gathering: gathering)
    let report: RunReport? = waiting {
        do throws(RunError) {
            return try await run.run()
        } catch {
            require(!error.description.isEmpty, "an error without a message")
            return nil
        }
    }
    guard let report else { return nil }
    guard report.status != .failed else {
        let reason = report.error ?? ""
        require(!reason.isEmpty && !reason.contains("does not balance") && !reason.contains("do not add up"), "the run failed: '\(reason)'")
        return report
    }
    let records = report.records
    require(
        records.read + records.added == records.written + records.filtered + records.dead + records.absorbed, "the books do not balance: \(records)")
    return report
}

/// Waits for what is done elsewhere: libFuzzer calls a function that is not asynchronous.
func waiting<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) -> Result {
    let done = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var result: Result?
    Task.detached {
        result = await body()
        done.signal()
    }
    done.wait()
    guard let result else { preconditionFailure("nothing was returned") }
    return result
}
