import FoundationEssentials
import Glibc

/// The progress of a run over time: `samples.json` in its state folder.
///
/// Every counter is a total since the run began, so samples may be left out without a loss: the
/// fewer there are, the coarser is the picture.
package struct RunSamples: Sendable, Equatable {
    /// A part of the work whose time is measured.
    package struct Step: Codable, Sendable, Equatable {
        package enum Kind: String, Codable, Sendable {
            /// Reading and decompressing inputs.
            case reading
            /// A stage, on batches in any order.
            case stage
            /// A stage that takes one batch at a time, in the order of the input.
            case ordered
            /// A stage whose work is done by workers of its own, such as child processes.
            case own
            /// Writing to the outputs, one batch at a time.
            case writing
        }

        package var name: String
        package var kind: Kind
        /// The most that work at once.
        package var workers: Int

        package init(name: String, kind: Kind, workers: Int) {
            (self.name, self.kind, self.workers) = (name, kind, workers)
        }
    }

    /// The counters at one moment.
    package struct Sample: Sendable, Equatable {
        /// The counters of a step.
        package struct Step: Sendable, Equatable {
            /// In microseconds, summed over its workers.
            package var busy = 0
            /// The time that its workers held results which the next step had no room for, in
            /// microseconds.
            package var waited = 0
            /// Batches that wait for it.
            package var queued = 0
            /// The number of workers that it may use.
            package var workers = 0
            /// Batches that it has passed on.
            package var batches = 0

            package init(busy: Int = 0, waited: Int = 0, queued: Int = 0, workers: Int = 0, batches: Int = 0) {
                (self.busy, self.waited, self.queued, self.workers, self.batches) = (busy, waited, queued, workers, batches)
            }
        }

        /// Since the run began, in microseconds.
        package var time = 0
        /// Records that were read and whose fate is committed.
        package var records = 0
        package var written = 0
        package var dead = 0
        package var textBytes = 0
        package var compressedBytes = 0
        /// Processor time of the process, in microseconds.
        package var processorTime = 0
        /// Resident memory of the process.
        package var memoryBytes = 0
        /// How much of the inputs was read, in millionths; `nil` if it is not known.
        package var share: Int?
        /// For each place in the ledger, the records that were passed on.
        package var out: [Int] = []
        /// For each place in the ledger, the records that failed there; empty in samples of earlier
        /// versions.
        package var deadLetters: [Int] = []
        /// For each place in the ledger, the records that were passed on, committed or not; empty
        /// in samples of earlier versions.
        package var passed: [Int] = []
        /// In the order of ``RunSamples/steps``.
        package var steps: [Step] = []

        package init() {}
    }

    package static let name = "samples.json"
    static let schema = 1

    package var pipeline = ""
    /// As in the report.
    package var definition = ""
    /// The `digest` of the run's report; `nil` if the run has not come to its end.
    package var report: String?
    /// The program that the run was made with.
    package var program = ""
    /// The pipeline file, if there is one, and its text.
    package var file: String?
    package var text: String?
    /// What tells runs apart; the same for a run and the processes that resume it.
    package var run: String?
    /// When the first process of the run began, in seconds since 1970.
    package var began = 0.0
    package var threads = 0
    /// The number of records that an earlier process had done, if the last one resumed the run.
    package var resumedAt: Int?
    /// Where in the time of the samples a process resumed the run, in microseconds.
    package var resumes: [Int] = []
    /// The sum of the sizes of the inputs, if they have sizes.
    package var compressedTotal: Int?
    /// The places in the ledger, as in the report's `stages`.
    package var places: [String] = []
    package var steps: [Step] = []
    package var samples: [Sample] = []

    package init() {}
}

extension RunSamples {
    /// The records that are not committed and that the stage with workers of its own which is the
    /// furthest ahead has finished.
    ///
    /// - Parameter sample: one of these.
    package func inStages(_ sample: Sample) -> Int {
        guard sample.passed.count == sample.out.count else { return 0 }
        let own = steps.filter { $0.kind == .own }.compactMap { step in places.firstIndex { $0.utf8.elementsEqual(step.name.utf8) } }
        return own.map { sample.passed[$0] - sample.out[$0] }.max() ?? 0
    }
}

extension RunSamples: Codable {
    /// All but the samples.
    private struct Head: Codable {
        var schema: Int
        var pipeline: String
        var definition: String
        var report: String?
        var program: String
        var file: String?
        var text: String?
        var run: String?
        var began: Double
        var threads: Int
        var resumedAt: Int?
        var resumes: [Int]?
        var compressedTotal: Int?
        var places: [String]
        var steps: [Step]
        /// Of ``Rows/samples``.
        var columns: [String]
    }

    private struct Rows: Codable {
        var samples: [[Int]]
    }

    private static let common = ["time", "records", "written", "dead", "text_bytes", "compressed_bytes", "processor_time", "memory_bytes"]
    private static let share = "share"
    private static let perPlace = ["out", "dead", "passed"]
    private static let perStep = ["busy", "waited", "queued", "workers", "batches"]

    /// The names of the columns of the samples: `out 0` is that of the first place in the ledger,
    /// `busy 0` that of the first step.
    package var columns: [String] {
        let perPlace = Self.perPlace.flatMap { name in places.indices.map { "\(name) \($0)" } }
        return Self.common + perPlace + steps.indices.flatMap { step in Self.perStep.map { "\($0) \(step)" } } + [Self.share]
    }

    private var head: Head {
        Head(
            schema: Self.schema, pipeline: pipeline, definition: definition, report: report, program: program, file: file, text: text, run: run, began: began,
            threads: threads, resumedAt: resumedAt, resumes: resumes.isEmpty ? nil : resumes, compressedTotal: compressedTotal, places: places,
            steps: steps, columns: columns)
    }

    package func encode(to encoder: any Encoder) throws {
        try head.encode(to: encoder)
        try Rows(samples: samples.map(\.row)).encode(to: encoder)
    }

    package init(from decoder: any Decoder) throws {
        let head = try Head(from: decoder)
        (pipeline, definition, report, program) = (head.pipeline, head.definition, head.report, head.program)
        (file, text, run, began, threads) = (head.file, head.text, head.run, head.began, head.threads)
        (resumedAt, resumes, compressedTotal) = (head.resumedAt, head.resumes ?? [], head.compressedTotal)
        (places, steps) = (head.places, head.steps)
        let (hasDead, hasPassed) = (head.columns.contains("dead 0"), head.columns.contains("passed 0"))
        let hasShare = head.columns.last == Self.share
        samples = try Rows(from: decoder).samples.map { row in
            let perPlace = 1 + (hasDead ? 1 : 0) + (hasPassed ? 1 : 0)
            guard row.count == Self.common.count + perPlace * head.places.count + Self.perStep.count * head.steps.count + (hasShare ? 1 : 0) else {
                throw DecodingError.dataCorrupted(DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "a sample has other columns"))
            }
            var sample = Sample(hasShare ? row.dropLast() : row, places: head.places.count, hasDead: hasDead, hasPassed: hasPassed)
            if hasShare, let share = row.last, share >= 0 { sample.share = share }
            return sample
        }
    }

    /// The contents of the file. The rows are written by hand: there are thousands of numbers in
    /// them, and they are written again and again.
    package func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes = Array(try encoder.encode(head))
        bytes.removeLast()
        bytes += Array(",\n\"samples\":[".utf8)
        for (index, sample) in samples.enumerated() {
            bytes += Array((index == 0 ? "\n[" : ",\n[").utf8)
            for (column, number) in sample.row.enumerated() {
                if column > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += Array(String(number).utf8)
            }
            bytes.append(UInt8(ascii: "]"))
        }
        return bytes + Array("]}\n".utf8)
    }

    /// The samples in a state folder; `nil` if there are none that can be read.
    package init?(state folder: String) {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.name)") else { return nil }
        do {
            try self.init(json: Array(data))
        } catch {
            return nil
        }
    }

    /// - Parameter json: the contents of the file.
    package init(json: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(RunSamples.self, from: Data(json))
    }

    /// Replaces the file in a state folder. Not synced to disk: it is of no use to the run.
    func write(to folder: String) throws {
        let path = "\(folder)/\(Self.name)"
        let beside = path + ".new"
        let bytes = try json()
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw OutputError.failed(path, "cannot be created", errno) }
        var failure = bytes.withUnsafeBufferPointer { writeAll($0, to: descriptor) }
        close(descriptor)
        if failure == nil, rename(beside, path) != 0 { failure = errno }
        guard let failure else { return }
        unlink(beside)
        throw OutputError.failed(path, "cannot be written", failure)
    }
}

extension RunSamples.Sample {
    /// Its figures, in the order of ``RunSamples/columns``.
    package var row: [Int] {
        let deadLetters = deadLetters.isEmpty ? out.map { _ in 0 } : deadLetters
        var row = [time, records, written, dead, textBytes, compressedBytes, processorTime, memoryBytes] + out
        row += deadLetters
        row += passed.isEmpty ? out : passed
        row += steps.flatMap { [$0.busy, $0.waited, $0.queued, $0.workers, $0.batches] }
        return row + [share ?? -1]
    }

    /// - Parameter row: as long as its columns.
    fileprivate init(_ row: [Int], places: Int, hasDead: Bool, hasPassed: Bool) {
        (time, records, written, dead) = (row[0], row[1], row[2], row[3])
        (textBytes, compressedBytes, processorTime, memoryBytes) = (row[4], row[5], row[6], row[7])
        out = Array(row[8..<8 + places])
        if hasDead { deadLetters = Array(row[8 + places..<8 + 2 * places]) }
        let end = 8 + places + deadLetters.count
        if hasPassed { passed = Array(row[end..<end + places]) }
        steps = stride(from: end + passed.count, to: row.count, by: 5).map { first in
            Step(busy: row[first], waited: row[first + 1], queued: row[first + 2], workers: row[first + 3], batches: row[first + 4])
        }
    }
}
