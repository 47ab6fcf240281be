import Foundation
import Testing

@testable import SluiceRecords

/// Published archives with answers known from other tools. They are not part of the project; the
/// tests are skipped if they are absent.
private enum KnownArchives {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../../shared/data").standardizedFileURL.path
    static let arePresent = FileManager.default.fileExists(atPath: folder)
}

@Suite("Real archives", .enabled(if: KnownArchives.arePresent, "the archives are not on this machine"))
struct RealArchiveTests {
    private static func read(_ patterns: [String], _ library: DeflateLibrary, each: (Batch, Frame) -> Void = { _, _ in }) throws -> [InputSummary] {
        var configuration = BatchReader.Configuration(spillFolder: NSTemporaryDirectory())
        configuration.library = library
        configuration.onDamage = .fail
        let buffers = BufferPool(capacity: Batch.targetBytes, most: 4)
        return try InputFiles.expand(patterns.map { KnownArchives.folder + "/" + $0 }).enumerated().map { index, file in
            let reader = try BatchReader(file, index: index, configuration: configuration, buffers: buffers)
            while let batch = try reader.next() {
                for frame in batch.frames { each(batch, frame) }
                buffers.give(batch.bytes)
            }
            #expect(reader.summary.bytes == file.size)
            return reader.summary
        }
    }

    @Test(
        "as many lines as wc counts", arguments: libraries,
        [
            ("access/*.gz", 10_000), ("access/daily/*.gz", 17_064), ("ndjson/zeek_dns.json.gz", 53_615), ("csv/*.gz", 336_777), ("tsv/*.gz", 53_624),
            ("ndjson/elastic_nginxplus_json.ndjson.gz", 500), ("ndjson/otrf_windows_runas.ndjson.gz", 2581), ("applogs/*.gz", 20_596),
        ] as [(String, UInt64)])
    func lines(library: DeflateLibrary, sample: (pattern: String, count: UInt64)) throws {
        #expect(try Self.read([sample.pattern], library).map(\.records).reduce(0, +) == sample.count)
    }

    @Test("the Debian contents: lines in all, and those of programs", arguments: libraries)
    func debian(library: DeflateLibrary) throws {
        let wanted = Array("usr/bin/".utf8)
        var programs = 0
        let summaries = try Self.read(["debian/*.gz"], library) { batch, frame in
            guard frame.count >= 8, memcmp(batch.bytes.start + Int(frame.start), wanted, 8) == 0 else { return }
            programs += 1
        }
        #expect(summaries.map(\.records) == [1_655_516])
        #expect(programs == 32_082)
    }
}
