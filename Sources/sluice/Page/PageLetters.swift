import SluiceRecords

/// The dead letters of a run by stage, code and message, with examples.
struct PageLetters: Encodable {
    struct Example: Encodable, Equatable {
        var place: String
        var message: String
        /// The beginning of the record.
        var raw: String
    }

    struct Group: Encodable, Equatable {
        var stage: String
        var code: String
        var template: String
        var count: Int
        var examples: [Example]
    }

    var groups: [Group] = []
    /// What they do not show.
    var note: String?

    /// How many dead letters are read, so that a page is made in seconds.
    private static let most = 200_000
    /// How many examples there are of each group, and how many characters of them.
    private static let (examples, characters) = (3, 600)

    /// Reads the file of dead letters; if that is not there, takes what the report says.
    static func of(_ report: RunReport) -> PageLetters {
        guard report.deadLetters.records > 0 else { return PageLetters() }
        guard let digest = report.deadLetters.sha256 else { return firsts(of: report, because: "they were not published") }
        var letters = PageLetters()
        let file = report.deadLetters.file
        if let found = Digest.of(file: file), !digest.hasSuffix(found) {
            return firsts(of: report, because: "\(file) is not the file of this run, or was changed since")
        }
        var triage = DeadLetterTriage(examples: examples)
        do throws(RunError) {
            try LineFile.forEachLine(of: file) { (line, number) throws(RunError) in
                if triage.count >= most { throw .fault("") }
                triage.add(try MetDeadLetter(line: line, of: file, number: number))
            }
        } catch {
            guard error == .fault("") else { return firsts(of: report, because: "\(error)") }
            letters.note = "Of the first \(Figures.count(most)) of \(Figures.count(report.deadLetters.records)) dead letters."
        }
        letters.groups = triage.sorted.map { group in
            Group(stage: group.stage, code: group.code, template: group.template, count: group.count, examples: group.examples.map { example($0) })
        }
        return letters
    }

    /// The most kinds that are shown while a run goes on.
    private static let mostSoFar = 50

    /// Those of a run that goes on.
    static func soFar(_ report: RunReport) -> PageLetters {
        var letters = firsts(of: report, because: "the run goes on")
        letters.note = "The first of each code, so far."
        letters.groups = Array(letters.groups.prefix(mostSoFar))
        return letters
    }

    /// - Parameter reason: why the dead letters cannot be read.
    static func firsts(of report: RunReport, because reason: String) -> PageLetters {
        var letters = PageLetters()
        letters.note = "Only the first of each code: \(reason)."
        let codes = report.deadLetters.byCode.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        letters.groups = codes.map { code, count in
            let first = report.deadLetters.first?[code]
            let place = first?.file.map { file in file + (first?.line.map { ":\($0)" } ?? "") }
            let example = first.map { Example(place: place ?? "derived by a stage", message: Figures.shortened($0.message, to: characters), raw: "") }
            return Group(stage: first?.stage ?? "", code: code, template: example?.message ?? "", count: count, examples: example.map { [$0] } ?? [])
        }
        return letters
    }

    private static func example(_ letter: MetDeadLetter) -> Example {
        let place = letter.file.map { "\($0)\(letter.line.map { ":\($0)" } ?? "")\(letter.offset.map { " (@\($0))" } ?? "")" }
        return Example(
            place: place ?? "derived by a stage", message: Figures.shortened(letter.message, to: characters),
            raw: Figures.shortened(String(decoding: letter.raw.prefix(8 * characters), as: UTF8.self), to: characters))
    }
}
