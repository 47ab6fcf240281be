import Foundation
import Sluice
import Testing

@testable import SluiceRecords

@Suite("How much of the inputs is read")
struct ReadShareTests {
    @Test("is told by compressed bytes, and better with the text that inputs hold")
    func share() throws {
        var read = try #require(ReadShare(sizes: [100, 300]))
        #expect(read.share == 0)
        read.consume(50, of: 0)
        #expect(read.share == 0.125)
        // Of text, the first holds nine times that of the second; a compressed byte counts six
        // times.
        read.expect([900, 100], consumed: [50, 0])
        #expect(read.share == 750.0 / 3_400)
        read.consume(50, of: 0)
        #expect(read.share == 1_500.0 / 3_400)
        read.consume(300, of: 1)
        #expect(read.share == 1)
    }

    @Test("counts an input whose text is unknown by the average of the others")
    func unknown() throws {
        var read = try #require(ReadShare(sizes: [100, 100, 200]))
        read.expect([1_000, 200, nil], consumed: [100, 0, 0])
        #expect(read.share == 1_600.0 / 4_800)
        read.expect([nil, nil, nil], consumed: [100, 0, 0])
        #expect(read.share == 1_600.0 / 4_800)
    }

    @Test("includes what the last of slow stages has finished, and no more than the source has passed on")
    func ahead() {
        func share(_ share: Double, read: (Int, Int), _ stages: (Int, Int)...) -> Double {
            ProgressMeter.share(
                share, read: (committed: read.0, finished: read.1), stages: stages.map { (committed: $0.0, finished: $0.1) })
        }
        #expect(share(0.25, read: (100, 300), (50, 100)) == 0.5)
        #expect(share(0.25, read: (100, 300), (50, 100), (10, 14)) == 0.35)
        #expect(share(0.25, read: (100, 200), (1, 50)) == 0.5)
        // Nothing of it is committed yet.
        #expect(share(0.25, read: (100, 200), (0, 50), (50, 60)) == 0.3)
        #expect(share(0, read: (0, 200), (0, 50)) == 0)
        #expect(share(0.75, read: (100, 200), (50, 100)) == 0.999)
        #expect(share(1, read: (100, 100), (50, 50)) == 1)
    }

    @Test("is unknown where an input has no size, or where there is nothing")
    func none() {
        #expect(ReadShare(sizes: [1, nil]) == nil)
        #expect(ReadShare(sizes: [])?.share == nil && ReadShare(sizes: [0])?.share == nil)
        var empty = ReadShare(sizes: [0, 10])
        empty?.consume(0, of: 0)
        empty?.consume(20, of: 1)
        #expect(empty?.share == 1)
    }

    @Test("leaves three tenths for the records that a stage returns")
    func returning() throws {
        var read = try #require(ReadShare(sizes: [100]))
        read.consume(50, of: 0)
        #expect(read.share(returning: StageCounts(in: 10, absorbed: 10)) == 0.35)
        read.consume(50, of: 0)
        #expect(read.share(returning: StageCounts(in: 20, absorbed: 20)) == 0.7)
        #expect(read.share(returning: StageCounts(in: 20, out: 10, added: 10, absorbed: 20)) == 0.85)
        #expect(read.share(returning: StageCounts(in: 20, out: 20, added: 20, absorbed: 20)) == 1)
        // Nothing has reached it.
        #expect(read.share(returning: StageCounts()) == 1)
    }

    @Test("believes the last bytes of gzip files where they can be true")
    func expected() throws {
        let folder = try RunFolder()
        defer { folder.remove() }
        let text = String(repeating: "some text ", count: 10_000)
        let member = GzipSamples.member(text)
        let inputs = [
            try folder.write(member, to: "one.gz"), try folder.write(member + GzipSamples.member(""), to: "two.gz"), try folder.write(text.utf8, to: "plain"),
            try folder.write([UInt8](), to: "empty.gz"), InputFile(path: folder.path + "/none.gz"),
        ].map { InputFile(path: $0.path, size: FileManager.default.contents(atPath: $0.path).map { UInt64($0.count) }) }
        #expect(ExpectedText.of(inputs) == [100_000, nil, nil, nil, nil])
        // One input needs no weight.
        #expect(ExpectedText.of([inputs[0]]) == [nil])
        #expect(ExpectedText.believed(99, size: 100) == nil && ExpectedText.believed(100, size: 100) == 100)
        #expect(ExpectedText.believed(103_201, size: 100) == nil)
    }
}
