import Foundation
import Testing

@Suite("sluice test")
struct TestCommandTests {
    private static let head = """
        name: t
        source: {files: in/*.log, format: jsonl}
        stages:
          - keep: n > 1
          - set: {double: n * 2}
        sink: {file: 'out/{string(n)}.jsonl.gz'}

        """

    private func result(_ tests: String, head: String = head, _ check: (CommandUnderTest.Result, CommandUnderTest) throws -> Void) throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(head + tests, to: "t.yaml")
        try check(try command.run("test", "t.yaml"), command)
    }

    @Test("runs reader, stages and writer without inputs, and writes nothing")
    func passes() throws {
        try result(
            """
            tests:
              - name: two is doubled
                input: ['{"n": 1}', '{"n": 2, "text": "a, b"}', {n: 3}]
                output: [{double: 4, n: 2, text: 'a, b'}, '{"n":3,"double":6}']
              - name: what cannot be read is set aside
                input: ['{"n":', '{}']
                dead_letters:
                  - {stage: source, code: parse.jsonl, raw: '{"n":'}
                  - {stage: keep, message: no such field 'n'}
                output: []
              - name: files
                input: [{n: 2}, {n: 3}]
                output: {out/3.jsonl.gz: [{n: 3, double: 6}], out/2.jsonl.gz: ['{"n":2,"double":4}']}

            """
        ) { result, command in
            #expect(result.error == "")
            #expect(
                result.output == """
                    t.yaml
                      result  in  written  filtered  dead  test
                      ok       3        2         1     0  two is doubled
                      ok       2        0         0     2  what cannot be read is set aside
                      ok       2        2         0     0  files

                    3 tests: 3 ok

                    """)
            #expect(result.status == 0)
            let files = try FileManager.default.contentsOfDirectory(atPath: command.folder.path)
            #expect(files == ["t.yaml"])
        }
    }

    @Test("shows the actual output, and exits with 1")
    func differs() throws {
        try result(
            """
            tests:
              - name: wrong value
                input: [{n: 2}, {n: 3}, {n: 4}]
                output: [{n: 2, double: 4}, {n: 3, double: 7}, {n: 4, double: 8}]
              - name: a dead letter more
                input: ['hello']
                output: []
              - name: no such output
                input: [{n: 2}]
                output: {out/7.jsonl.gz: []}
              - name: the same in another order
                input: [{n: 3}, {n: 2}]
                output: [{n: 2, double: 4}, {n: 3, double: 6}]

            """
        ) { result, _ in
            #expect(result.status == 1)
            #expect(
                result.output == """
                    t.yaml
                      result  in  written  filtered  dead  test
                      FAILED   3        3         0     0  wrong value
                      FAILED   1        0         0     1  a dead letter more
                      FAILED   1        1         0     0  no such output
                      ok       2        2         0     0  the same in another order

                    t.yaml:8: wrong value
                      output
                          {"n":2,"double":4}
                        - {"n":3,"double":7}
                        + {"n":3,"double":6}
                          differs in: double
                          {"n":4,"double":8}

                    t.yaml:11: a dead letter more
                      dead letters
                        + {stage: "source", code: "parse.jsonl", message: "expected '{' at byte 0, found 'h'", raw: "hello"}

                    t.yaml:14: no such output
                      output out/7.jsonl.gz: no such output
                      output out/2.jsonl.gz: not expected
                        + {"n":2,"double":4}

                    4 tests: 1 ok, 3 failed

                    """)
        }
    }

    @Test("compares lines of text, including headers, if the sink writes text")
    func text() throws {
        let head = "name: t\nsource: {files: none.csv, format: csv}\nsink: {file: out.csv}\n"
        try result(
            "tests:\n  - {name: quotes, input: ['a,b', '1,\"x\ny\"'], output: ['a,b', \"1,\\\"x\\ny\\\"\"]}\n"
                + "  - {name: wrong, input: ['a,b', '1,2'], output: ['a,b', '1,3']}\n", head: head
        ) { result, _ in
            #expect(result.output.contains("FAILED   1        1         0     0  wrong\n"))
            #expect(result.output.contains("      a,b\n    - 1,3\n    + 1,2\n"))
            #expect(result.status == 1)
        }
    }

    @Test("a limit of dead letters does not stop a test, but a failing run fails it")
    func failingRun() throws {
        let head = "name: t\nsource: {files: none, format: jsonl}\nstages: [{keep: a > 1, on_error: stop}]\nsink: {stdout: true}\nlimits: {dead_letters: 0}\n"
        try result(
            "tests:\n  - {name: dead, input: ['x'], dead_letters: [{code: parse.jsonl}]}\n  - {name: stops, input: ['{}'], output: []}\n", head: head
        ) { result, _ in
            #expect(result.output.contains("  ok       1        0         0     1  dead\n"))
            #expect(result.output.contains("the run failed: stage 'keep' stopped the run at input:1: no such field 'a'"))
            #expect(result.status == 1)
        }
    }

    @Test("children of exec answer as in any run")
    func exec() throws {
        let head = "name: t\nsource: {files: none, format: jsonl}\nstages: [{exec: [sed, -u, 's/1/2/'], timeout: 60s}]\nsink: {stdout: true}\n"
        try result("tests: [{name: child, input: [{a: 1}], output: [{a: 2}]}]\n", head: head) { result, _ in
            #expect(result.status == 0)
            #expect(result.output.hasSuffix("1 test: 1 ok\n"))
        }
    }

    @Test("a file that cannot be run, and files without tests, exit with 2")
    func wrong() throws {
        try result("") { result, _ in
            #expect(result.output == "t.yaml: no tests\n0 tests: 0 ok\n")
            #expect(result.status == 2)
        }
        try result("tests: [{name: x, input: [], output: [], dead_letters: [{stage: keeep}]}]\n") { result, _ in
            #expect(result.error.contains("no such stage 'keeep' (did you mean 'keep'?)"))
            #expect(result.output == "0 tests: 0 ok, 1 file is invalid\n")
            #expect(result.status == 2)
        }
    }

    @Test("the example of the documentation passes")
    func documentation() throws {
        let page = try String(contentsOf: CommandUnderTest.root.appending(path: "docs/pipeline-file.md"), encoding: .utf8)
        let block = try #require(try MarkdownBlocks(page).blocks.first { $0.language == "yaml" && $0.text.contains("dead_letters: [{stage: source") })
        let command = try CommandUnderTest()
        defer { command.remove() }
        try command.write(block.text, to: "page.yaml")
        let result = try command.run("test", "page.yaml")
        #expect(result.output.hasSuffix("2 tests: 2 ok\n"), "\(result.output)\(result.error)")
    }

    @Test("the provided pipelines pass their tests")
    func ready() throws {
        let command = try CommandUnderTest()
        defer { command.remove() }
        for name in ["pipelines", "sampledata"] {
            try FileManager.default.copyItem(at: CommandUnderTest.root.appending(path: name), to: command.folder.appending(path: name))
        }
        let result = try command.shell("sluice test pipelines/*.yaml")
        #expect(result.status == 0)
        #expect(!result.output.contains("no tests"))
        #expect(result.output.contains(/[0-9]{2} tests: [0-9]+ ok\n$/), "\(result.output)\(result.error)")
    }
}
