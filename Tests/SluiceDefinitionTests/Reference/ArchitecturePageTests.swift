import Foundation
import Testing

@Suite("The page on architecture")
struct ArchitecturePageTests {
    @Test("names existing functions")
    func functions() throws {
        let root = BadFilesTests.folder.appending(path: "../../..").standardizedFileURL
        let page = try String(contentsOf: root.appending(path: "docs/architecture.md"), encoding: .utf8)
        let paths = FileManager.default.enumerator(atPath: root.appending(path: "Sources").path)?.allObjects as? [String] ?? []
        var count = 0
        for match in page.matches(of: /`([A-Za-z+]+\.swift):([A-Za-z]+)`/) {
            let path = try #require(paths.first { $0.hasSuffix("/\(match.1)") }, "there is no file \(match.1)")
            let code = try String(contentsOf: root.appending(path: "Sources/\(path)"), encoding: .utf8)
            #expect(code.contains("func \(match.2)(") || code.contains("func \(match.2)<"), "\(match.1) has no function \(match.2)")
            count += 1
        }
        for match in page.matches(of: /`([A-Za-z+]+\.swift)`/) {
            #expect(paths.contains { $0.hasSuffix("/\(match.1)") }, "there is no file \(match.1)")
        }
        #expect(count > 20)
    }

    @Test("and the one on promises names existing tests and fuzzers")
    func promises() throws {
        let root = BadFilesTests.folder.appending(path: "../../..").standardizedFileURL
        let page = try String(contentsOf: root.appending(path: "docs/promises.md"), encoding: .utf8)
        let paths = FileManager.default.enumerator(atPath: root.appending(path: "Tests").path)?.allObjects as? [String] ?? []
        let tests = page.matches(of: /`([A-Za-z+]+\.swift)`/).map { String($0.1) }
        #expect(tests.count > 20)
        for test in tests { #expect(paths.contains { $0.hasSuffix("/\(test)") }, "there is no file \(test)") }
        let fuzzers = try paths.filter { $0.hasPrefix("Fuzz/") && $0.hasSuffix("Fuzzer.swift") }
            .compactMap {
                try String(contentsOf: root.appending(path: "Tests/\($0)"), encoding: .utf8).firstMatch(of: /static let name = "([a-z]+)"/).map { String($0.1) }
            }
        #expect(fuzzers.count > 4)
        for fuzzer in fuzzers { #expect(page.contains("| `\(fuzzer)` |"), "the page lacks the fuzzer \(fuzzer)") }
    }
}
