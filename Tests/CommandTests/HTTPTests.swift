import Foundation
import Glibc
import Testing

@testable import sluice

@Suite("http", .timeLimit(Patience.hang))
struct HTTPTests {
    /// A server in Python, which writes what it was asked to `requests`. `/silent` has no answer.
    private static let server = #"""
        import http.server, json, os, ssl, sys, threading
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_GET(self):
                with open("requests", "a") as log: log.write(f"{self.path} {self.headers.get('authorization')}\n")
                if self.path == "/silent": threading.Event().wait()
                status = 401 if self.path == "/denied" else 200
                body = f"no: {self.headers.get('authorization')}" if status == 401 else json.dumps({"country": "NL", "city": "Delft"}, separators=(",", ":"))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())
            def log_message(self, *arguments): pass
        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            def handle_error(self, *arguments): pass
        server = Server(("127.0.0.1", 0), Handler)
        if len(sys.argv) > 1:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[1], sys.argv[2])
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        with open("port.new", "w") as file: file.write(str(server.server_port))
        os.rename("port.new", "port")
        server.serve_forever()
        """#

    /// - Returns: the server's port, and the process, which the caller ends.
    private func serve(_ command: CommandUnderTest, _ arguments: String...) throws -> (port: String, process: RunningCommand) {
        try command.write(Self.server, to: "server.py")
        let process = try command.start(URL(filePath: "/usr/bin/env"), ["python3", "server.py"] + arguments)
        while !FileManager.default.fileExists(atPath: command.folder.appending(path: "port").path), process.process.isRunning { poll(nil, 0, 10) }
        return (try command.text(of: "port"), process)
    }

    /// SIGTERM may be blocked in processes that a test starts.
    private func end(_ server: RunningCommand) {
        server.signal(SIGKILL)
        server.process.waitUntilExit()
    }

    /// Waits until the server was asked so many times.
    private func waits(for count: Int, _ command: CommandUnderTest, _ run: RunningCommand) {
        while command.lines(of: "requests").count < count, run.process.isRunning { poll(nil, 0, 10) }
    }

    @Test("the example of docs/http.md runs, with the secret of the environment")
    func example() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let (port, server) = try serve(command)
        defer { end(server) }
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/http.md"), encoding: .utf8)
        let blocks = try MarkdownBlocks(page).blocks
        let pipeline = try #require(blocks.first { $0.language == "yaml" }?.text)
        let input = try #require(page.firstMatch(of: /From `(\{.*?\})` this makes/)?.1)
        let output = try #require(blocks.first { $0.language == "json" }?.text)
        try command.write(pipeline.replacing("https://geo.example", with: "http://127.0.0.1:\(port)"), to: "visits.yaml")
        try command.write("\(input)\n", to: "visits.jsonl")
        let result = try command.run(["run", "visits.yaml", "--progress", "none"], environment: ["GEO_TOKEN": "t0p-s3cret"])
        #expect(result.status == 0, "\(result.error)")
        #expect(try command.text(of: "out/visits.jsonl") == output)
        #expect(command.lines(of: "requests") == ["/v1/192.0.2.1 Bearer t0p-s3cret"])
        let unset = try command.run(["check", "visits.yaml"], environment: ["GEO_TOKEN": ""])
        #expect(unset.status == 2 && unset.error.contains("the environment variable 'GEO_TOKEN' is not set"))
    }

    @Test("a secret is in no output, report, dead letter, plan or message, even if the server repeats it")
    func secrets() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let (port, server) = try serve(command)
        defer { end(server) }
        let secret = "sk-0123456789-abcdef"
        try command.write(
            "name: x\nparams: {token: 'env:API_KEY', path: denied}\nsource: {files: in.jsonl}\nstages:\n"
                + "  - http: {url: 'http://127.0.0.1:\(port)/${path}', headers: {authorization: 'Bearer ${token}'}, as: got}\n"
                + "sink: {file: out/x.jsonl}\n", to: "x.yaml")
        try command.write("{\"n\":1}\n{\"n\":2}\n", to: "in.jsonl")
        let environment = ["API_KEY": secret]
        var said = ""
        for arguments in [
            ["run", "x.yaml", "--verbose", "--progress", "plain"], ["check", "x.yaml"], ["explain", "x.yaml"], ["explain", "x.yaml", "--record", "{\"n\":1}"],
            ["graph", "x.yaml"], ["show", ".sluice/x/dead-letter.jsonl.gz"],
        ] {
            let result = try command.run(arguments, environment: environment)
            said += result.output + result.error
        }
        let letters = try command.text(of: ".sluice/x/dead-letter.jsonl.gz")
        #expect(letters.contains("\"http.status\"") && letters.contains("status 401: 'no: Bearer ***'"))
        #expect(said.contains("status 401: 'no: Bearer ***'"))
        #expect(!said.contains(secret) && !letters.contains(secret))
        #expect(command.lines(of: "requests").contains("/denied Bearer \(secret)"))
        for file in FileManager.default.enumerator(atPath: command.folder.path)?.allObjects as? [String] ?? [] where file != "requests" {
            guard let bytes = FileManager.default.contents(atPath: command.folder.appending(path: file).path) else { continue }
            #expect(bytes.range(of: Data(secret.utf8)) == nil, "\(file)")
        }
    }

    @Test("TLS: an authority of one's own is trusted if it is named, and no one else; a name must match")
    func tls() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let made = try command.shell(
            """
            set -e
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Test authority' -keyout ca.key -out ca.pem
            openssl req -newkey rsa:2048 -nodes -subj '/CN=127.0.0.1' -keyout server.key -out server.csr
            printf 'subjectAltName=IP:127.0.0.1' > extensions
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Other authority' -keyout other.key -out other.pem
            """)
        #expect(made.status == 0, "\(made.error)")
        let (port, server) = try serve(command, "server.pem", "server.key")
        defer { end(server) }
        try command.write("{\"n\":1}\n", to: "in.jsonl")
        func run(_ host: String, _ more: String) throws -> (status: Int32, letters: String) {
            try command.write(
                "name: x\nsource: {files: in.jsonl}\nstages:\n  - http: {url: 'https://\(host):\(port)/', as: got\(more)}\nsink: {file: out/x.jsonl}\n",
                to: "x.yaml")
            let status = try command.run("run", "x.yaml", "--progress", "none").status
            return (status, try command.text(of: ".sluice/x/dead-letter.jsonl.gz"))
        }
        #expect(try run("127.0.0.1", ", ca_file: ca.pem").status == 0)
        #expect(try command.text(of: "out/x.jsonl") == "{\"n\":1,\"got\":{\"country\":\"NL\",\"city\":\"Delft\"}}\n")
        let asked = command.lines(of: "requests").count
        for (host, more) in [("127.0.0.1", ""), ("127.0.0.1", ", ca_file: other.pem"), ("localhost", ", ca_file: ca.pem")] {
            let (status, letters) = try run(host, more)
            #expect(status == 3 && letters.contains("\"http.tls\"") && letters.contains("cannot be authenticated"), "\(host)\(more): \(letters)")
        }
        #expect(command.lines(of: "requests").count == asked)
    }

    @Test("proxies of the environment are not used; one that is named is")
    func proxies() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let (port, server) = try serve(command)
        defer { end(server) }
        try command.write("{\"n\":1}\n", to: "in.jsonl")
        // Nobody listens on port 1.
        let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        let environment = Dictionary(uniqueKeysWithValues: names.map { ($0, "http://127.0.0.1:1") })
        func run(_ url: String, _ more: String, _ environment: [String: String]) throws -> Int32 {
            try command.write("name: x\nsource: {files: in.jsonl}\nstages:\n  - http: {url: '\(url)'\(more)}\nsink: {file: out/x.jsonl}\n", to: "x.yaml")
            return try command.run(["run", "x.yaml", "--progress", "none"], environment: environment).status
        }
        #expect(try run("http://127.0.0.1:\(port)/direct", "", environment) == 0)
        #expect(try run("http://away.invalid/x", ", proxy: 'http://127.0.0.1:\(port)'", ["no_proxy": "*", "NO_PROXY": "*"]) == 0)
        #expect(command.lines(of: "requests") == ["/direct None", "http://away.invalid/x None"])
    }

    @Test("Ctrl-C begins no further request and aborts those in flight; the next run finishes the work")
    func interrupted() async throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let (port, server) = try serve(command)
        defer { end(server) }
        try command.write(
            "name: x\nsource: {files: in.jsonl}\nstages:\n  - http: {url: 'http://127.0.0.1:\(port)/{p}'}\n    workers: 2\n    timeout: 600s\n"
                + "    retry: {times: 5}\nsink: {file: out/x.jsonl}\n", to: "x.yaml")
        try command.write(String(repeating: "{\"p\":\"silent\"}\n", count: 500), to: "in.jsonl")
        let run = try command.start(nil, ["run", "x.yaml", "--progress", "none"])
        waits(for: 2, command, run)
        let start = ContinuousClock.now
        run.signal(Signals.interrupt)
        let result = try await run.ended()
        // The grace is 5 seconds.
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(result.status == 130 && command.lines(of: "requests").count == 2)
        try command.write(String(repeating: "{\"p\":\"quick1\"}\n", count: 500), to: "in.jsonl")
        let again = try command.run("run", "x.yaml", "--progress", "none", "--restart")
        #expect(again.status == 0, "\(again.error)")
        #expect(command.lines(of: "out/x.jsonl").count == 500)
    }

    @Test("check --sample stops before the stage, so that nothing is sent")
    func sample() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        let (port, server) = try serve(command)
        defer { end(server) }
        try command.write(
            "name: x\nsource: {files: in.jsonl}\nstages:\n  - http: {url: 'http://127.0.0.1:\(port)/'}\nsink: {file: out/x.jsonl}\n", to: "x.yaml")
        try command.write("{\"n\":1}\n", to: "in.jsonl")
        #expect(try command.run("check", "x.yaml", "--sample", "10").status == 0)
        #expect(command.lines(of: "requests").isEmpty)
    }
}
