import Foundation
import Testing

/// Inputs that another program changes during a run.
@Suite("Inputs that change while they are read", .timeLimit(Patience.hang))
struct ChangedInputTests {
    @Test("a run over a file that is shortened says what is lost", arguments: ["salvage", "fail"])
    func shortened(policy: String) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(String(repeating: String(repeating: "x", count: 497) + "\n", count: 30_000), to: "in.log")
        // The first record comes long before the end is read.
        try command.write("read -r line\ntruncate -s 12450000 in.log\necho \"$line\"\nexec cat\n", to: "child.sh")
        try command.write(
            """
            name: short
            source: {files: in.log, format: lines, on_damage: \(policy)}
            stages: [{exec: [sh, child.sh], workers: 1}]
            sink: {file: out.jsonl}
            limits: {memory: 16MiB}
            """, to: "short.yaml")
        let result = try command.run("run", "short.yaml", "--progress", "none")
        #expect(result.status == (policy == "fail" ? 1 : 3), "\(result)")
        guard policy == "salvage" else {
            #expect(result.error.contains("in.log@12450000: reading the input failed, or another program shortened it meanwhile"), "\(result)")
            return
        }
        #expect(result.error.contains("damage: in.log@12450000: read-error, 2,490,000 bytes lost"), "\(result)")
        #expect(try command.text(of: "out.jsonl").split(separator: "\n").count == 12_450_000 / 498)
    }
}
