import Glibc
import Sluice
import SluiceCEL

/// The dead letters of a run as an audit reads them: their counts, and what each has as the bytes
/// of its record.
struct LetterPlaces {
    /// A dead letter whose bytes can be compared with those in its input.
    fileprivate struct Place {
        var position: Position
        var hash: Hash128
        /// The size of the record, if the dead letter has only its beginning.
        var cutFrom: UInt64?
        /// The line of the dead letter.
        var number: UInt64
    }

    private struct Known: Equatable {
        var stage: String
        var message: String
        var file: String?
        var line: UInt64?
    }

    private(set) var count = 0
    private var codes: [String: Int] = [:]
    private var stages: [Name: Int] = [:]
    /// By the file that they name: an input, or a file in an archive.
    private var files: [Name: Int] = [:]
    /// For each input that is an archive, the files in it that dead letters name.
    private var members: [Name: [Name]] = [:]
    private var firsts: [String: Known] = [:]
    /// Those of other pipelines or definitions, and those that cannot be read.
    private var definitions: [String: Int] = [:]
    private var unreadable: [UInt64] = []
    /// Those that are too long to be compared.
    private var long = 0
    private var places: [Name: [Place]] = [:]
    private var file = ""
    /// The number of each input that is no archive, in the order of reading.
    private var ranks: [Name: Int] = [:]
    /// The place of the last dead letter, and the lines of those that are before the one before
    /// them.
    private var last: (input: Int, offset: UInt64)?
    private var misplaced: [UInt64] = []
    private let results = Results()

    fileprivate final class Results {
        var compared = 0
        /// The line of each dead letter that differs, and what is at its place.
        var differing: [(number: UInt64, found: String)] = []
        /// The inputs that were read.
        var read: Swift.Set<Name> = []
    }

    mutating func add(_ line: UnsafeBufferPointer<UInt8>, of file: String, number: UInt64) {
        self.file = file
        count += 1
        do throws(RunError) {
            let letter = try MetDeadLetter(line: line, of: file, number: number)
            add(letter, number)
        } catch {
            unreadable.append(number)
        }
    }

    private mutating func add(_ letter: MetDeadLetter, _ number: UInt64) {
        codes[letter.code, default: 0] += 1
        stages[Name(letter.stage), default: 0] += 1
        definitions["\(letter.pipeline) \(letter.definition)", default: 0] += 1
        if firsts[letter.code] == nil {
            firsts[letter.code] = Known(stage: letter.stage, message: letter.message, file: letter.file, line: letter.line)
        }
        guard let input = letter.file else { return }
        note(Name(input))
        if let rank = ranks[Name(input)], let offset = letter.offset {
            if let last, (rank, offset) < (last.input, last.offset) { misplaced.append(number) } else { last = (rank, offset) }
        }
        guard letter.rawKind == .bytes || letter.rawKind == .beginning, let offset = letter.offset else { return }
        let hash = letter.raw.withUnsafeBufferPointer(Self.hash)
        let position = Position(member: letter.member, offset: offset, line: letter.line ?? 0)
        places[Name(input), default: []].append(Place(position: position, hash: hash, cutFrom: letter.rawCutFrom, number: number))
    }

    /// Notes the file that a dead letter names.
    private mutating func note(_ file: Name) {
        files[file, default: 0] += 1
        guard files[file] == 1, !members.isEmpty else { return }
        let path = file.text.utf8
        for slash in path.indices where path[slash] == NameBytes.slash { members[Name(String(Substring(path[..<slash])))]?.append(file) }
    }

    /// Adds a dead letter that is too long for memory.
    mutating func add(long letter: SpilledRecord) throws(InputError) {
        count += 1
        long += 1
        let beginning = try DeadLetterBeginning(letter)
        codes[beginning.code, default: 0] += 1
        stages[Name(beginning.stage), default: 0] += 1
        if let file = beginning.file { note(Name(file)) }
        definitions["\(beginning.pipeline) \(beginning.definition)", default: 0] += 1
    }

    /// Compares what the dead letters show with the report.
    func compareCounts(_ audit: inout Audit, _ report: RunReport) {
        let reported = report.deadLetters
        for number in unreadable.prefix(10) { audit.compare("\(reported.file):\(number)", "the line", "a dead letter", "something else") }
        for code in Swift.Set(reported.byCode.keys).union(codes.keys).sorted() {
            audit.compare(reported.file, "dead letters with code '\(code)'", reported.byCode[code] ?? 0, codes[code] ?? 0)
        }
        for (code, first) in (reported.first ?? [:]).sorted(by: { $0.key < $1.key }) where long == 0 {
            let known = firsts[code].map { "\($0.stage), \($0.file ?? "no file"):\($0.line ?? 0): \($0.message)" }
            audit.compare(
                reported.file, "the first dead letter with code '\(code)'",
                "\(first.stage), \(first.file ?? "no file"):\(first.line ?? 0): \(first.message)", known ?? "none")
        }
        // Dead letters that a replay has kept are of earlier runs and other stages.
        guard report.replay == nil else { return }
        audit.compare(
            reported.file, "dead letters of this pipeline and definition", count - unreadable.count, definitions["\(report.pipeline) \(report.definition)"] ?? 0
        )
        for stage in report.stages { audit.compare("stage '\(stage.name)'", "dead letters", stage.dead, stages[Name(stage.name)] ?? 0) }
        for input in report.inputs {
            audit.compare(input.file, "dead letters", input.dead, names(of: input).reduce(0) { $0 + (files[$1] ?? 0) })
        }
    }

    /// Compares the order of the dead letters with that of their records.
    ///
    /// - Parameter mayDiffer: whether the run may write them in any order; `nil` if that is not
    ///   known.
    func compareOrder(_ audit: inout Audit, mayDiffer: Bool?) {
        guard count > 0 else { return }
        switch mayDiffer {
        case true?: break
        case false?:
            audit.compare(file, "dead letters that come before one that is above them", 0, misplaced.count)
        case nil:
            guard let first = misplaced.first else { return }
            audit.leaveUnproved("the order of the dead letters: line \(first) belongs further up unless the pipeline has 'order: any' (--with FILE tells)")
        }
    }

    fileprivate static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Hash128 {
        guard let start = bytes.baseAddress else { return Hash128(high: 0, low: 0) }
        return SipHash.fixed.hash(start, bytes.count)
    }

    func areOf(_ input: RunReport.Input) -> Bool { names(of: input).contains { places[$0] != nil } }

    /// The names that dead letters have for an input: its own, or those of the files in it.
    private func names(of input: RunReport.Input) -> [Name] { [Name(input.file)] + (members[Name(input.file)] ?? []) }

    /// The comparison with the bytes of an input; `nil` if no dead letter is of it.
    func comparison(of input: RunReport.Input) -> Comparison? {
        var own: [Name: [Place]] = [:]
        for name in names(of: input) { own[name] = places[name] }
        guard !own.isEmpty else { return nil }
        results.read.formUnion(own.keys)
        return Comparison(input.file, own, results)
    }

    /// Notes the results of all comparisons.
    func conclude(_ audit: inout Audit, _ report: RunReport) {
        let expected = places.reduce(0) { $0 + (results.read.contains($1.key) ? $1.value.count : 0) }
        let differing = results.differing.sorted { $0.number < $1.number }
        for difference in differing.prefix(10) {
            audit.compare("\(file):\(difference.number)", "'raw'", "the bytes of a record", difference.found, by: "the dead letter")
        }
        if expected > 0 {
            audit.compare(file, "dead letters with the bytes at their places in the inputs", expected, results.compared - differing.count)
        }
        let others = places.filter { !results.read.contains($0.key) && report.replay == nil }.reduce(0) { $0 + $1.value.count }
        if others > 0 { audit.leaveUnproved("the bytes of \(others) dead letters, whose inputs cannot be read again") }
        if long > 0 { audit.leaveUnproved("the bytes of \(long) dead letters, which are too long to be compared") }
    }
}

extension LetterPlaces {
    /// - Parameter report: names the inputs in their order.
    init(of report: RunReport) {
        self.init()
        // The report says what an archive contained only if the run has read it to its end.
        let areArchives = report.framing?.inputArchive != nil
        for (index, input) in report.inputs.enumerated() {
            if areArchives || input.archive != nil { members[Name(input.file)] = [] } else { ranks[Name(input.file)] = index }
        }
    }

    /// Compares dead letters with the records of one input, batch by batch.
    final class Comparison {
        private let file: String
        /// What is left to compare of the input, or of each file in it, in the order of the places.
        private var waiting: [Name: ArraySlice<Place>]
        private let results: Results

        fileprivate init(_ file: String, _ places: [Name: [Place]], _ results: Results) {
            self.file = file
            waiting = places.mapValues { $0.sorted { $0.position.offset < $1.position.offset }[...] }
            self.results = results
        }

        /// Whether all dead letters of the input are compared.
        var isDone: Bool { waiting.isEmpty }

        func compare(_ batch: Batch) throws(InputError) {
            let name = Name(batch.name?.text ?? file)
            guard var rest = waiting.removeValue(forKey: name) else { return }
            while let place = rest.first, place.position.offset < batch.end.offset {
                rest.removeFirst()
                let difference = try difference(place, in: batch)
                results.compared += 1
                if let difference { results.differing.append((place.number, "\(difference) at \(name.text)@\(place.position.offset)")) }
            }
            if !rest.isEmpty { waiting[name] = rest }
        }

        private func difference(_ place: Place, in batch: Batch) throws(InputError) -> String? {
            if let record = batch.spilled.first(where: { $0.position.offset == place.position.offset }) {
                guard record.position == place.position else { return "another line or member" }
                guard record.kept == nil && place.cutFrom == nil || record.byteCount == place.cutFrom else { return "a record of \(record.byteCount) bytes" }
                let spill = try SpillReader(record)
                var bytes: [UInt8] = []
                while let piece = try spill.nextBytes() { bytes += piece.filled }
                return bytes.withUnsafeBufferPointer(LetterPlaces.hash) == place.hash ? nil : "other bytes"
            }
            guard place.position.offset >= batch.offset else { return "no record" }
            let start = UInt32(clamping: place.position.offset - batch.offset)
            var (low, high) = (0, batch.frames.count)
            while low < high {
                let middle = (low + high) / 2
                if batch.frames[middle].start < start { low = middle + 1 } else { high = middle }
            }
            // Empty records begin where the next one does.
            for index in low..<batch.frames.count where batch.frames[index].start == start {
                let frame = batch.frames[index]
                let bytes = UnsafeBufferPointer(start: UnsafePointer(batch.bytes.start) + Int(start), count: Int(frame.count))
                guard LetterPlaces.hash(bytes) == place.hash else { return "other bytes" }
                return batch.position(ofFrame: index) == place.position ? nil : "another line or member"
            }
            return "no record"
        }
    }
}
