import Foundation
import Testing

/// The real packages, with services on this machine. Only those are tried whose packages `python3`
/// has: by hand, with a virtual environment that comes first in PATH, with `pip install s3fs
/// 'moto[server]' gcsfs gcp-storage-emulator requests pyarrow`.
@Suite("Services behind addresses", .timeLimit(Patience.hang))
struct ServiceTests {
    private static let available = StorageService.all.filter(\.isAvailable)

    private static func start(_ service: StorageService, in command: CommandUnderTest) throws -> (RunningCommand, root: String, [String: String], String) {
        try command.write(service.program, to: "service.py")
        let python = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":").map { "\($0)/python3" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        let running = try command.start(URL(filePath: try #require(python)), ["service.py"], environment: service.environment)
        let address = String(try running.line(with: "ready at ").dropFirst("ready at ".count))
        let root = service.root.replacing("%", with: address).replacing("@", with: command.folder.path)
        return (running, root, service.environment.mapValues { $0.replacing("%", with: address) }, address)
    }

    @Test("a run and tasks give what files give; what changed or is not there is refused by name", arguments: available)
    func service(service: StorageService) throws {
        let command = try AddressTests.prepare()
        defer { command.remove() }
        try AddressTests.runFiles(command)
        let (running, root, environment, address) = try Self.start(service, in: command)
        defer { running.process.terminate() }
        func arguments(_ to: String) -> [String] { AddressTests.arguments(command, to, from: root) }
        let run = try command.run(["run"] + arguments("run") + ["--progress", "none"], environment: environment)
        #expect(run.status == 3, "\(run.error)")
        let plan = ["plan"] + arguments("tasks") + ["--tasks", "3", "--plan", "plan", "--split", "1MiB"]
        #expect(try command.run(plan, environment: environment).status == 0)
        for task in [2, 0, 1] {
            let done = try command.run(["task", "plan", "--index", "\(task)", "--progress", "none"], environment: environment)
            #expect(done.status == 0, "\(done.error)")
        }
        #expect(try command.run("gather", "plan", "--progress", "none").status == 3)
        for to in ["run", "tasks"] { try AddressTests.expectSame(command, to, from: root) }
        #expect(try command.run(["audit", "run-state/report.json"], environment: environment).status == 0)
        let secret = Data("somesecret".utf8)
        for name in try command.files { #expect(try Data(contentsOf: command.folder.appending(path: name)).range(of: secret) == nil, "\(name)") }

        for (pattern, message) in service.refusals {
            let files = pattern.replacing("%", with: address)
            let result = try command.run(["check", "--files", files, "--format", "jsonl"], environment: environment)
            #expect(result.status == 2 && result.error.contains(message.replacing("%", with: address)), "\(result.error)")
        }
        let late = ["plan"] + arguments("late") + ["--tasks", "1", "--plan", "late"]
        #expect(try command.run(late, environment: environment).status == 0)
        try running.send("in/f.jsonl.gz\n")
        try running.waits(for: "changed")
        let task = try command.run(["task", "late", "--index", "0", "--json"], environment: environment)
        #expect(task.output.contains("'\(root)/in/f.jsonl.gz' has 2 bytes instead of "), "\(task.output)")
    }

    private static func available(_ name: String) -> StorageService? { available.first { $0.name == name } }

    @Test("S3 that is not reached, or lets nobody in, is said to", .enabled(if: available("s3") != nil))
    func s3() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        var environment = try #require(Self.available("s3")).environment
        environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
        let unreachable = try command.run(["check", "--files", "s3://bucket/x", "--format", "jsonl"], environment: environment)
        #expect(unreachable.error.contains("s3://bucket/x cannot be read: EndpointConnectionError"), "\(unreachable.error)")
        environment.removeValue(forKey: "AWS_ACCESS_KEY_ID")
        environment["AWS_EC2_METADATA_DISABLED"] = "true"
        let denied = try command.run(["check", "--files", "s3://bucket/x", "--format", "jsonl"], environment: environment)
        #expect(denied.error.contains("s3://bucket/x cannot be read: access is denied"), "\(denied.error)")
    }

    @Test("what a data node answers instead of bytes is not taken for these", .enabled(if: available("webhdfs") != nil))
    func dataNode() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        // As long as the answer, and read only from its beginning.
        try command.write("{\"n\":\"\(String(repeating: "x", count: 72))\"}\n", to: "in/a.jsonl")
        let (running, root, environment, _) = try Self.start(try #require(Self.available("webhdfs")), in: command)
        defer { running.process.terminate() }
        let run = ["run", "--files", "\(root)/in/*", "--format", "jsonl", "--progress", "none"]
        let whole = try command.run(run, environment: environment)
        #expect(whole.status == 0, "\(whole.error)")
        #expect(try whole.output == command.text(of: "in/a.jsonl"))
        try command.write("", to: "refuses")
        let refused = try command.run(run, environment: environment)
        #expect(refused.status == 1 && refused.output.isEmpty)
        #expect(refused.error.contains("/in/a.jsonl cannot be read: a data node answers 403 Forbidden"), "\(refused.error)")
        let denied = try command.run(run, environment: environment.merging(["FSSPEC_WEBHDFS_USER": "nobody"]) { $1 })
        #expect(denied.status == 2)
        #expect(denied.error.contains("access is denied (Permission denied); set in the environment: FSSPEC_WEBHDFS_USER, or "), "\(denied.error)")
    }

    @Test("without Hadoop's libraries, the message says what to set", .enabled(if: available("hdfs") != nil))
    func noHadoop() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let environment = ["JAVA_HOME": "/none", "HADOOP_HOME": "/none", "ARROW_LIBHDFS_DIR": "/none"]
        let result = try command.run(["check", "--files", "hdfs://namenode/x", "--format", "jsonl"], environment: environment)
        #expect(result.status == 2)
        #expect(result.error.contains("hdfs://namenode/x cannot be read: Hadoop's libraries are not found ("), "\(result.error)")
    }
}
