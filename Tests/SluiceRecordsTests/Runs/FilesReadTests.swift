import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("new_only")
struct FilesReadTests {
    private let folder: RunFolder
    private var state: String { folder.path + "/state" }

    init() throws { folder = try RunFolder() }

    /// A run over all files of the folder `in`; returns what it wrote and what it left out.
    private func run(fails: Bool = false, limit: Int? = nil) async throws -> (out: String, newOnly: SourceSettings.NewOnly?, status: RunReport.Status) {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/in").sorted()
        var pipeline = folder.pipeline(names.map { InputFile(path: "\(folder.path)/in/\($0)") }, [])
        try pipeline.source.keepNew(in: state)
        if fails { pipeline.limits.deadLetters = .count(0) }
        let report = try await RecordRun(pipeline, options: RunOptions(workers: 2, state: state, limit: limit)).run()
        let out = (try? String(contentsOfFile: folder.path + "/out.jsonl", encoding: .utf8)) ?? ""
        try? FileManager.default.removeItem(atPath: folder.path + "/out.jsonl")
        return (out.replacing("\n", with: " "), pipeline.source.newOnly, report.status)
    }

    private func write(_ text: String, to name: String) throws {
        try FileManager.default.createDirectory(atPath: folder.path + "/in", withIntermediateDirectories: true)
        try folder.write(text.utf8, to: "in/" + name)
    }

    private func move(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: "\(folder.path)/in/\(name)", toPath: "\(folder.path)/in/\(other)")
    }

    @Test("each file is read by one run, whatever else comes")
    func nightly() async throws {
        defer { folder.remove() }
        try write("{\"a\":1}\n", to: "1.jsonl")
        try write("{\"a\":2}\n", to: "2.jsonl")
        #expect(try await run().out == "{\"a\":1} {\"a\":2} ")
        try write("{\"a\":3}\n", to: "0.jsonl")
        let second = try await run()
        #expect(second.out == "{\"a\":3} ")
        #expect(second.newOnly == SourceSettings.NewOnly(known: 2, changed: []))
        let third = try await run()
        #expect(third.out == "" && third.newOnly?.known == 3 && third.status == .complete)
    }

    @Test("a copy under another name is new, also with the same content")
    func copies() async throws {
        defer { folder.remove() }
        try write("{\"a\":1}\n", to: "1.jsonl")
        _ = try await run()
        try write("{\"a\":1}\n", to: "2.jsonl")
        #expect(try await run().out == "{\"a\":1} ")
    }

    @Test("renamed files are known, as after a rotation, and the new one is read")
    func rotation() async throws {
        defer { folder.remove() }
        try write("{\"a\":1}\n", to: "log")
        _ = try await run()
        try move("log", to: "log.1")
        try write("{\"a\":2}\n", to: "log")
        let second = try await run()
        #expect(second.out == "{\"a\":2} ")
        #expect(second.newOnly == SourceSettings.NewOnly(known: 1, changed: []))
        try move("log.1", to: "log.2")
        try move("log", to: "log.1")
        try write("{\"a\":3}\n", to: "log")
        #expect(try await run().out == "{\"a\":3} ")
    }

    @Test("a file that has grown is read again from its beginning, and named")
    func grown() async throws {
        defer { folder.remove() }
        try write("{\"a\":1}\n", to: "1.jsonl")
        _ = try await run()
        try write("{\"a\":1}\n{\"a\":2}\n", to: "1.jsonl")
        let second = try await run()
        #expect(second.out == "{\"a\":1} {\"a\":2} ")
        #expect(second.newOnly == SourceSettings.NewOnly(known: 0, changed: [folder.path + "/in/1.jsonl"]))
        #expect(try await run().newOnly == SourceSettings.NewOnly(known: 1, changed: []))
    }

    @Test("a file that was only touched is known")
    func touched() async throws {
        defer { folder.remove() }
        try write("{\"a\":1}\n", to: "1.jsonl")
        _ = try await run()
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: folder.path + "/in/1.jsonl")
        #expect(try await run().newOnly?.known == 1)
    }

    @Test("a failed run marks nothing; one with dead letters does")
    func failed() async throws {
        defer { folder.remove() }
        try write("{\"a\":1}\nbroken\n", to: "1.jsonl")
        #expect(try await run(fails: true).status == .failed)
        #expect(try FilesRead(in: state) == FilesRead())
        let second = try await run()
        #expect(second.out == "{\"a\":1} " && second.status == .losses)
        #expect(try await run().newOnly?.known == 1)
    }

    @Test("a file that was not read to its end is not marked")
    func unfinished() async throws {
        defer { folder.remove() }
        try write("{\"a\":1}\n", to: "1.jsonl")
        try write("{\"a\":2}\n{\"a\":3}\n", to: "2.jsonl")
        #expect(try await run(limit: 2).out == "{\"a\":1} {\"a\":2} ")
        #expect(try await run().out == "{\"a\":2} {\"a\":3} ")
    }

    @Test("the files of a run that dies while it publishes are marked by the next one")
    func journal() async throws {
        defer { folder.remove() }
        try write("{\"a\":1}\n", to: "1.jsonl")
        let input = InputFile(path: folder.path + "/in/1.jsonl")
        var report = try await RecordRun(folder.pipeline([], []), options: RunOptions(workers: 1, state: state)).run()
        report.status = .complete
        let journal = Journal(
            folder: folder.path, moves: [], report: try ReportText(report), reportFile: state + "/report.json",
            read: [try #require(FilesRead.File(input))])
        try StateFile(Journal.name, in: state).write(journal)
        _ = try await RecordRun(folder.pipeline([], []), options: RunOptions(workers: 1, state: state)).run()
        #expect(try await run().newOnly?.known == 1)
    }

    @Test("a list that cannot be read is an error that says what to do")
    func broken() throws {
        defer { folder.remove() }
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        try folder.write("{".utf8, to: "state/read.json")
        let error = #expect(throws: RunError.self) { try FilesRead(in: state) }
        #expect(error?.description.contains("remove it to read all files again") == true)
    }
}
