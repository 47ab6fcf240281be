import Foundation
import Testing

@testable import SluiceRecords

/// How a plan's inputs are written down for each task, and put together again.
@Suite("The division of a run")
struct TaskDivisionTests {
    private static func division(_ sizes: [Int], into count: Int) -> TaskDivision {
        let inputs = sizes.indices.map { InputFile(path: $0 % 2 == 0 ? "in/\"\($0)\"é.gz" : "/in/\($0)", size: UInt64(sizes[$0])) }
        let stamps = sizes.map { PlannedStamp(size: $0, modified: $0 - 5, ends: DigestText(Digest.of("\($0)")), version: $0 == 70 ? "\"e\"" : nil) }
        return TaskDivision(inputs, stamps, cut: [:], into: count, folder: "/folder")
    }

    @Test("writes the lines that an encoder gives")
    func lines() throws {
        let division = Self.division([5, 0, 70, 3, 3], into: 4)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var lines: [String] = []
        division.forEachLine { lines.append(String(decoding: $0, as: UTF8.self)) }
        #expect(lines == (try (0..<4).map { String(decoding: try encoder.encode(division[$0]), as: UTF8.self) + "\n" }))
        #expect(division.largest == 70)
        #expect(division[0].inputs.map(\.path) == ["/folder/in/\"2\"é.gz"])
    }

    @Test("gives each input to one task", arguments: [1, 2, 5, 9])
    func whole(count: Int) throws {
        let division = Self.division([5, 0, 70, 3, 3], into: count)
        let shares = try (0..<count).map { try #require(TaskShare(division[$0], ofInputs: 5)) }.sorted { $0.inputs.lowerBound < $1.inputs.lowerBound }
        #expect(TaskShare.areWhole(shares, ofInputs: 5))
        #expect(TaskShare.areWhole(shares, ofInputs: 6) == false)
        let first = try #require(shares.firstIndex { !$0.inputs.isEmpty })
        var others = shares
        others.remove(at: first)
        #expect(TaskShare.areWhole(others, ofInputs: 5) == false, "one is missing")
        #expect(TaskShare.areWhole(shares + [shares[first]], ofInputs: 5) == false, "one is there twice")
    }

    @Test("does not take the pieces of an input for the whole")
    func pieces() throws {
        let place = try JSONDecoder().decode(InputEnd.self, from: Data(#"{"position":4,"batches":2}"#.utf8))
        var (one, other) = (Self.division([9], into: 1)[0], Self.division([9], into: 1)[0])
        one.end = place
        other.task = 1
        let first = try #require(TaskShare(one, ofInputs: 1))
        var second = try #require(TaskShare(other, ofInputs: 1))
        #expect(TaskShare.areWhole([first, second], ofInputs: 1) == false)
        second.start = place
        #expect(TaskShare.areWhole([first, second], ofInputs: 1))
        #expect(TaskShare.areWhole([first], ofInputs: 1) == false)
        #expect(TaskShare(one, ofInputs: 0) == nil)
    }
}
