import Foundation
import Testing

@Suite("new_only")
struct NewOnlyTests {
    @Test("a repeated run reads what is new, says what it left out, and does nothing if nothing is new")
    func nightly() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(
            "name: nightly\nparams: {day: a}\nsource: {files: 'in/*.jsonl', new_only: true}\nsink: {file: \"out/${day}.jsonl\"}\n", to: "nightly.yaml")
        try command.write("{\"n\":1}\n", to: "in/1.jsonl")
        #expect(try command.run("run", "nightly.yaml").status == 0)
        #expect(try command.text(of: "out/a.jsonl") == "{\"n\":1}\n")
        try command.write("{\"n\":2}\n", to: "in/2.jsonl")
        let second = try command.run("run", "nightly.yaml", "--set", "day=b")
        #expect(second.status == 0)
        #expect(second.error.contains("sluice: 1 file was read by an earlier run and is left out\n"))
        #expect(try command.text(of: "out/b.jsonl") == "{\"n\":2}\n")
        let third = try command.run("run", "nightly.yaml", "--set", "day=b")
        #expect(third.status == 0)
        #expect(third.error == "sluice: 2 files were read by earlier runs and are left out\nsluice: no file is new, so there is nothing to do\n")
        #expect(try command.text(of: "out/b.jsonl") == "{\"n\":2}\n")
        #expect(try command.run("audit", ".sluice/nightly/report.json").status == 0)
        try command.write("{\"n\":2}\n{\"n\":3}\n", to: "in/2.jsonl")
        let fourth = try command.run("run", "nightly.yaml", "--set", "day=c")
        #expect(fourth.error.contains("sluice: 'in/2.jsonl' has changed since it was read, and is read again from its beginning\n"))
        #expect(try command.text(of: "out/c.jsonl") == "{\"n\":2}\n{\"n\":3}\n")
        // Another state folder knows nothing.
        #expect(try command.run("run", "nightly.yaml", "--set", "day=d", "--state", "other").status == 0)
        #expect(try command.text(of: "out/d.jsonl") == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n")
    }
}
