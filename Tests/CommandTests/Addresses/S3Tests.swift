import Foundation
import Testing

private let hasPackages = (try? CommandUnderTest().shell("python3 -c 'import s3fs, moto'").status == 0) ?? false

/// The real packages, with a service on this machine; by hand, with both in a virtual environment
/// that comes first in PATH.
@Suite(
    "S3", .timeLimit(Patience.hang),
    .enabled(if: hasPackages, "'python3 -c \"import s3fs, moto\"' fails: pip install s3fs 'moto[server]'"))
struct S3Tests {
    /// Serves the folder `in` as `s3://bucket/in` until its input ends, and changes an object when
    /// it is told.
    private static let service = """
        import logging, os, sys
        from moto.server import ThreadedMotoServer
        logging.getLogger('werkzeug').setLevel(logging.ERROR)
        server = ThreadedMotoServer('127.0.0.1', 0, verbose=False)
        server.start()
        os.environ['AWS_ENDPOINT_URL'] = 'http://127.0.0.1:%d' % server._server.port
        import s3fs
        files = s3fs.S3FileSystem()
        files.mkdir('bucket')
        for name in os.listdir('in'): files.pipe('bucket/in/' + name, open('in/' + name, 'rb').read())
        print(os.environ['AWS_ENDPOINT_URL'], file=sys.stderr, flush=True)
        for line in sys.stdin:
            files.pipe(line.strip(), b'{}')
            print('changed', file=sys.stderr, flush=True)

        """

    @Test("a run and tasks give what files give; what changed, is not there or is not let in is refused by name")
    func service() throws {
        let command = try AddressTests.prepare()
        defer { command.remove() }
        try AddressTests.runFiles(command)
        try command.write(Self.service, to: "service.py")
        var environment = ["AWS_ACCESS_KEY_ID": "somekey", "AWS_SECRET_ACCESS_KEY": "somesecret", "AWS_DEFAULT_REGION": "us-east-1"]
        let python = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":").map { "\($0)/python3" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        let service = try command.start(URL(filePath: try #require(python)), ["service.py"], environment: environment)
        defer { service.process.terminate() }
        environment["AWS_ENDPOINT_URL"] = try service.line(with: "http://")
        func arguments(_ to: String) -> [String] { AddressTests.arguments(command, to, from: "s3://bucket") }
        let run = try command.run(["run"] + arguments("run") + ["--progress", "none"], environment: environment)
        #expect(run.status == 3, "\(run.error)")
        let plan = ["plan"] + arguments("tasks") + ["--tasks", "3", "--plan", "plan", "--split", "1MiB"]
        #expect(try command.run(plan, environment: environment).status == 0)
        for task in [2, 0, 1] {
            let done = try command.run(["task", "plan", "--index", "\(task)", "--progress", "none"], environment: environment)
            #expect(done.status == 0, "\(done.error)")
        }
        #expect(try command.run("gather", "plan", "--progress", "none").status == 3)
        for to in ["run", "tasks"] { try AddressTests.expectSame(command, to, from: "s3://bucket") }
        #expect(try command.run(["audit", "run-state/report.json"], environment: environment).status == 0)
        for name in try command.files {
            #expect(try Data(contentsOf: command.folder.appending(path: name)).range(of: Data("somesecret".utf8)) == nil, "\(name)")
        }

        let late = ["plan"] + arguments("late") + ["--tasks", "1", "--plan", "late"]
        #expect(try command.run(late, environment: environment).status == 0)
        try service.send("bucket/in/f.jsonl.gz\n")
        try service.waits(for: "changed")
        let task = try command.run(["task", "late", "--index", "0", "--json"], environment: environment)
        #expect(task.output.contains("'s3://bucket/in/f.jsonl.gz' has 2 bytes instead of "), "\(task.output)")

        for (address, message) in [
            ("s3://bucket/none", "s3://bucket/none: no such object"), ("s3://bucket/none*", "no file matches 's3://bucket/none*'"),
            ("s3://nowhere/none*", "s3://nowhere/none* cannot be read: there is no such bucket"),
        ] {
            let result = try command.run(["check", "--files", address, "--format", "jsonl"], environment: environment)
            #expect(result.status == 2 && result.error.contains(message), "\(result.error)")
        }
        environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
        let unreachable = try command.run(["check", "--files", "s3://bucket/x", "--format", "jsonl"], environment: environment)
        #expect(unreachable.error.contains("s3://bucket/x cannot be read: EndpointConnectionError"), "\(unreachable.error)")
        environment.removeValue(forKey: "AWS_ACCESS_KEY_ID")
        environment["AWS_EC2_METADATA_DISABLED"] = "true"
        let denied = try command.run(["check", "--files", "s3://bucket/x", "--format", "jsonl"], environment: environment)
        #expect(denied.error.contains("s3://bucket/x cannot be read: access is denied"), "\(denied.error)")
    }
}
