import Foundation
import Sluice
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("lookup")
struct LookupTests {
    @Test("the longest network agrees with a linear search", arguments: 0..<8)
    func networks(seed: UInt64) throws {
        var random = Seeded(seed)
        func address(_ isV4: Bool) -> String {
            // Few distinct bits, so that networks are nested.
            let bits = (0..<8).map { _ in random.next() % 2 == 0 ? random.next() % 4 : 0 }
            return isV4 ? bits[0..<4].map { "\($0 * 64)" }.joined(separator: ".") : bits.map { String($0, radix: 16) }.joined(separator: ":")
        }
        var known: [NetworkIndex.Network] = []
        var all: [(network: IPNetwork, row: Int)] = []
        for _ in 0..<3000 {
            let isV4 = random.next() % 2 == 0
            let text = "\(address(isV4))/\(random.next() % (isV4 ? 33 : 129))"
            let network = try #require(Array(text.utf8).withUnsafeBufferPointer { NetworkIndex.Network($0) })
            guard !known.contains(network) else { continue }
            all.append((try #require(IPNetwork(text)), known.count))
            known.append(network)
        }
        // As many as are not sorted by comparing them.
        #expect(known.count { $0.isV4 } >= 256)
        var entries = NetworkIndex.Entries()
        for row in known.indices.shuffled(using: &random) { entries.append(known[row], row: Int32(row)) }
        let index = NetworkIndex(entries)
        let scratch = Scratch()
        var (addresses, found): ([UInt32], [Int32]) = ([], [])
        for _ in 0..<400 {
            let text = address(random.next() % 2 == 0)
            let address = try #require(IPAddress(text))
            let expected = all.filter { entry in
                guard entry.network.address.isV4 == address.isV4, let own = IPNetwork(address: address, prefixLength: entry.network.prefixLength) else {
                    return false
                }
                return own.masked.address.bits == entry.network.masked.address.bits
            }.max { $0.network.prefixLength < $1.network.prefixLength }?.row
            if index.find(scratch.text(copying: text), scratch) != expected { Issue.record("\(text)") }
            guard address.isV4 else { continue }
            addresses.append(UInt32(address.bits))
            found.append(expected.map { Int32($0) } ?? -1)
        }
        var rows = [Int32](repeating: -7, count: addresses.count)
        addresses.withUnsafeBufferPointer { addresses in
            rows.withUnsafeMutableBufferPointer { rows in if let first = rows.baseAddress { index.find(addresses, into: first) } }
        }
        #expect(rows == found)
        #expect(found.contains { $0 >= 0 })
    }

    @Test("of several rows with one network, the first two are named", arguments: [0, 300])
    func repetition(others: Int) throws {
        func network(_ text: String) throws -> NetworkIndex.Network {
            try #require(Array(text.utf8).withUnsafeBufferPointer { NetworkIndex.Network($0) })
        }
        for same in ["10.0.0.0/8", "fe80::/10"] {
            var entries = NetworkIndex.Entries()
            for row in 0..<others { entries.append(try network(row % 2 == 0 ? "1.2.\(row / 256).\(row % 256)" : "::\(row)"), row: Int32(row)) }
            for row in others..<others + 3 { entries.append(try network(same), row: Int32(row)) }
            let repetition = NetworkIndex(entries).repetition
            #expect(repetition?.earlier == Int32(others) && repetition?.later == Int32(others + 1))
        }
    }

    @Test("an invalid table is refused, and the message says where")
    func faults() throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        func fault(_ text: String, _ key: LookupTable.Key = .value("id"), selected: [String]? = nil) throws -> String {
            try folder.write(text.utf8, to: "t.csv")
            var checking = Checking(label: "")
            let csv = try #require(CSV(nil, &checking))
            do throws(LookupTable.Fault) {
                _ = try LookupTable(folder.path + "/t.csv", csv, key, selected: selected)
                return "none"
            } catch {
                return error.message.replacing(folder.path + "/", with: "")
            }
        }
        #expect(try fault("id,a\n1,x\n2,y\n1,z\n") == "'t.csv', line 4: duplicate key '1' (first on line 2)")
        #expect(try fault("id,a\n1,x\n,y\n") == "'t.csv', line 3: 'id' is missing")
        #expect(try fault("ids,a\n1,x\n") == "'t.csv' has no column 'id' (did you mean 'ids'?)")
        #expect(try fault("id,abc\n1,x\n", selected: ["abd"]) == "'t.csv' has no column 'abd' (did you mean 'abc'?)")
        #expect(try fault("id,a\n1,x,y\n").hasPrefix("'t.csv', line 2: "))
        #expect(try fault("id,a\n10.0.0.0/8,x\n10.1.0.0/8,y\n", .network("id")) == "'t.csv', line 3: duplicate key '10.1.0.0/8' (first on line 2)")
        #expect(try fault("id,a\n10.0.0/8,x\n", .network("id")) == "'t.csv', line 2: '10.0.0/8' is not a network")
        #expect(try fault("").hasPrefix("'t.csv' has no header"))
        #expect(try fault("id,a\n") == "none")
    }

    @Test("the report names the table, and no output may be it", arguments: [1, 8])
    func report(workers: Int) async throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let rows = (0..<40_000).map { "u\($0),team \($0 % 7)\n" }.joined()
        try folder.write(("id,team\n" + rows).utf8, to: "users.csv")
        let input = try folder.write((0..<50_000).map { #"{"user":"u\#($0)"}"# + "\n" }.joined().utf8, to: "a.jsonl")
        func verb() throws -> Lookup {
            var checking = Checking(label: "lookup")
            let keys = ["file": folder.path + "/users.csv", "key": "user", "missing": "drop"].mapValues { Argument.leaf(Leaf($0)) }
            let column = ["column": Argument.keys(Arguments(["value": .leaf(Leaf("id"))]))]
            return try #require(Lookup(.keys(Arguments(keys.merging(column) { $1 })), options: Arguments(), &checking))
        }
        let run = try await folder.run(folder.pipeline([input], [RecordStage(name: "team", verb: try verb())]), workers: workers)
        #expect(run.report.balanced && run.report.records.filtered == 10_000)
        #expect(run.outcome.out == (0..<40_000).map { #"{"user":"u\#($0)","team":"team \#($0 % 7)"}"# + "\n" }.joined())
        let table = try #require(run.report.stages.first { $0.name == "team" }?.table)
        #expect(table == RunReport.Table(file: folder.path + "/users.csv", rows: 40_000, sha256: try Digest.ofFile(folder.path + "/users.csv")))
        let other = RecordPipeline(
            name: "test", definition: "sha256:0", source: SourceSettings(FileSource([input]), format: JSONL()),
            stages: [RecordStage(name: "team", verb: try verb())], sink: SinkSettings(FileSink(PathTemplate(pieces: [.text(folder.path + "/users.csv")]))),
            deadLetters: folder.path + "/dead.jsonl")
        let conflict = try RunFiles(other, state: folder.path + "/state").conflict()
        #expect(conflict?.message.contains("the table") == true)
    }
}
