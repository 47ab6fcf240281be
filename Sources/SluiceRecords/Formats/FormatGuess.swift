package import SluiceCEL

/// A possible format of a text, and how well it fits.
package struct FormatGuess: Sendable {
    /// The format as written in a pipeline file: `combined`, `{csv: {separator: ';'}}`.
    package let format: String
    package let name: String
    /// The number of records of the text that can be decoded.
    package let read: Int
    package let records: Int
    /// 0 to 1: the share of records that can be decoded, reduced for formats that accept nearly
    /// anything.
    package let confidence: Double
    /// The decoded records as JSON objects.
    package let examples: [ValueMap]
    /// The types that the format gives fields, as pipeline files call them.
    private let types: [Name: String]
    /// The texts that stand for no value, if there are others than by default.
    package let nulls: [String]
    /// Whether fields of text have other types if the format infers them.
    package private(set) var infersTypes = false

    /// The type that the format gives a field, as pipeline files call it; `nil` if that depends on
    /// the record. JSON, which the examples are in, has no type for times.
    package func typeName(of field: String) -> String? { types[Name(field)] }

    /// The format with all its options, as written in a pipeline file.
    package var definition: String {
        var options: [String] = []
        if !nulls.isEmpty { options.append("nulls: [" + nulls.map { "'\($0)'" }.joined(separator: ", ") + "]") }
        if infersTypes { options.append("types: infer") }
        guard !options.isEmpty else { return format }
        let texts = options.joined(separator: ", ")
        return format == name ? "{\(name): {\(texts)}}" : "\(format.dropLast(2)), \(texts)}}"
    }

    /// All formats that fit the first lines of a text to some degree, best first. Options of the
    /// best one suit the whole text.
    package static func guesses(for text: [UInt8], state: String) async -> [FormatGuess] {
        var guesses: [(guess: FormatGuess, candidate: Candidate)] = []
        let sample = sample(text)
        guard !sample.isEmpty else { return [] }
        for candidate in candidates(for: sample) {
            guard let guess = await candidate.guess(sample, state: state) else { continue }
            guesses.append((guess, candidate))
        }
        // What fits badly is no better than plain lines.
        guesses.removeAll { $0.guess.confidence < 0.2 && $0.guess.name != Lines.declaration.name }
        // Ties are resolved by the formats' own words for no value, then in the order of the
        // reference.
        let sorted = guesses.enumerated().sorted {
            ($1.element.guess.confidence, $0.element.guess.nulls.count, $0.offset)
                < ($0.element.guess.confidence, $1.element.guess.nulls.count, $1.offset)
        }.map(\.element)
        guard let best = sorted.first else { return [] }
        return [await best.candidate.withOptions(best.guess, text, state: state)] + sorted.dropFirst().map(\.guess)
    }

    /// Complete lines, enough to distinguish formats.
    private static func sample(_ text: [UInt8]) -> [UInt8] {
        var lines = 0
        let end = text.firstIndex { byte in
            if byte == UInt8(ascii: "\n") { lines += 1 }
            return lines == 200
        }
        return end.map { Array(text[...$0]) } ?? text
    }

    /// A text that is in no format of records.
    static let prose = Array("The quick brown fox\njumps over: a dog, and\nwhat not (1).\n".utf8)

    /// In the order in which ties are resolved.
    private static func candidates(for text: [UInt8]) -> [Candidate] {
        Formats.all.flatMap { format -> [Candidate] in
            let nulls = (format as? any NullingFormat.Type)?.defaultNulls
            let separators = [";", "\t", "|"].compactMap { Candidate(format.declaration, nulls, separator: $0) }
            let variants = (format as? any VariedFormat.Type)?.variants(for: text) ?? []
            return [Candidate(format.declaration, nulls)] + separators + variants.map { Candidate(format.declaration, nulls, $0) }
        }
        .enumerated().sorted { ($1.element.isFirst ? 1 : 0, $0.offset) < ($0.element.isFirst ? 1 : 0, $1.offset) }.map(\.element)
    }

    private struct Candidate {
        let declaration: Declaration
        var options: Arguments?
        let text: String
        /// The texts that stand for no value by default; `nil` if the format cannot have others.
        let nulls: [String]?
        /// Whether it wins ties.
        var isFirst = false
        /// See ``FormatVariant/weight``.
        var weight = 1.0

        init(_ declaration: Declaration, _ nulls: [String]?, _ variant: FormatVariant) {
            self.declaration = declaration
            self.nulls = nulls
            options = variant.options
            text = "{\(declaration.name): {\(variant.text)}}"
            isFirst = variant.winsTies
            weight = variant.weight
        }

        init(_ declaration: Declaration, _ nulls: [String]?) {
            self.declaration = declaration
            self.nulls = nulls
            options = nil
            text = declaration.name
        }

        /// Creates the candidate for a format with a configurable separator; `nil` for other
        /// formats.
        init?(_ declaration: Declaration, _ nulls: [String]?, separator: String) {
            guard case .keys(let keys) = declaration.argument, keys.contains(where: { $0.name == "separator" && !$0.isRequired }) else { return nil }
            self.declaration = declaration
            self.nulls = nulls
            options = Arguments(["separator": .leaf(Leaf(separator))])
            text = "{\(declaration.name): {separator: \"\(separator == "\t" ? "\\t" : separator)\"}}"
        }

        func guess(_ text: [UInt8], state: String) async -> FormatGuess? {
            // Where the text was cut depends on no format.
            guard let format, let trial = await trial(format, on: format.framing.uncut(text), state: state) else { return nil }
            let records = trial.report.records
            // Blank lines are not counted.
            let all = records.read - records.filtered
            let read = all - records.dead
            // What rejects most of a text is not its format.
            guard read > 0, 2 * read >= all else { return nil }
            let maps = trial.records.compactMap { line -> ValueMap? in
                guard case .map(let map)? = Value(json: line) else { return nil }
                return map
            }
            var confidence = weight * Double(read) / Double(all)
            if let format = format as? any DoubtfulFormat { confidence *= Self.weight(of: format, in: maps) }
            if await isLenient(state) { confidence *= Self.weight(ofLenient: maps, hasHead: hasHead) }
            return FormatGuess(
                format: self.text, name: declaration.name, read: read, records: all, confidence: confidence, examples: Array(maps.prefix(100)),
                types: Self.types(of: format, trial), nulls: nulls.map { Self.nulls(in: maps, besides: $0) } ?? [])
        }

        /// The types of fields that were inferred, or that the format has.
        private static func types(of format: any Format, _ trial: Trial) -> [Name: String] {
            var types: [Name: String] = [:]
            for field in trial.report.types?.fields ?? [] { types[Name(field.name)] = field.type }
            guard types.isEmpty, case .known(let fields) = format.schema else { return types }
            for field in fields where field.type != .dyn { types[Name(field.name)] = field.type.description }
            return types
        }

        /// The guess with words for no value and with inferred types, if that makes fields of text
        /// something else and no record fails because of it.
        func withOptions(_ guess: FormatGuess, _ text: [UInt8], state: String) async -> FormatGuess {
            guard isInferring, let whole = await self.guess(text, state: state), !Self.hasTypes(whole) else { return guess }
            var values = options?.values ?? [:]
            values["types"] = .leaf(Leaf("infer"))
            if !whole.nulls.isEmpty { values["nulls"] = .list(whole.nulls.map { .leaf(Leaf($0)) }, TextPlace(TextPosition(line: 1, column: 1))) }
            var typed = self
            typed.options = Arguments(values)
            guard let inferred = await typed.guess(text, state: state), inferred.read == whole.read else { return guess }
            let infersTypes = Self.hasTypes(inferred)
            return FormatGuess(
                format: guess.format, name: guess.name, read: guess.read, records: guess.records, confidence: guess.confidence,
                examples: infersTypes ? inferred.examples : guess.examples, types: infersTypes ? inferred.types : guess.types, nulls: whole.nulls,
                infersTypes: infersTypes)
        }

        private static func hasTypes(_ guess: FormatGuess) -> Bool {
            guess.examples.contains { $0.entries.contains { $0.value.type != .string && $0.value != .null } }
        }

        private var isInferring: Bool { format is any InferringFormat }

        /// The words that stand for no value by convention, where the other values of a field are
        /// numbers or dates; `\\N` everywhere.
        private static func nulls(in records: [ValueMap], besides known: [String]) -> [String] {
            let words = ["\\N", "NA", "N/A", "NULL", "null", "-"]
            var fields: [Name: (words: [String], others: Int, numbers: Int)] = [:]
            for entry in records.lazy.flatMap(\.entries) {
                guard case .string(let key) = entry.key, case .string(let text) = entry.value, !text.isEmpty else { continue }
                var field = fields[Name(key)] ?? ([], 0, 0)
                if words.contains(text) {
                    if !field.words.contains(text) { field.words.append(text) }
                } else {
                    field.others += 1
                    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
                    if digits.first?.isNumber == true { field.numbers += 1 }
                }
                fields[Name(key)] = field
            }
            let found = words.filter { word in
                fields.values.contains { $0.words.contains(word) && (word == words[0] || ($0.others > 0 && $0.numbers == $0.others)) }
            }.filter { !known.contains($0) }
            return found.isEmpty ? [] : known + found
        }

        /// The format with the candidate's options, if they are valid.
        private var format: (any Format)? {
            var checking = Checking(label: "")
            let format = Formats.make(FormatArgument(name: Leaf(declaration.name), declaration: declaration, options: options), &checking)
            return checking.diagnostics.isEmpty ? format : nil
        }

        private func trial(_ format: any Format, on text: [UInt8], state: String) async -> Trial? {
            let pipeline = RecordPipeline(
                name: "guess", definition: "", source: SourceSettings(MemorySource([:]), format: format), stages: [],
                sink: SinkSettings(MemorySink(PathTemplate("records"))), deadLetters: "dead-letter.jsonl")
            return try? await Trial.run(pipeline, on: [("text", text)], stages: 0, state: state)
        }

        private var hasHead: Bool { (format as? any HeadedFormat)?.needsHead == true }

        private func isLenient(_ state: String) async -> Bool {
            guard let format, let trial = await trial(format, on: FormatGuess.prose, state: state) else { return false }
            return trial.report.records.written > 0
        }

        /// A format that most records show may have others, which do not.
        private static func weight(of format: any DoubtfulFormat, in records: [ValueMap]) -> Double {
            let evident = records.count { format.isEvident(in: $0) }
            return 2 * evident >= records.count ? 1 : Double(evident) / Double(records.count)
        }

        /// Several fields indicate that the format is right, a single one does not, and neither do
        /// words that could be keys without values.
        private static func weight(ofLenient records: [ValueMap], hasHead: Bool) -> Double {
            let counts = records.map { record in record.entries.count { $0.value != .bool(true) } }
            guard let most = counts.max(), most > 0 else { return 0 }
            guard most > 1 else { return hasHead ? 0.001 : 0.01 }
            let whole = counts.count { $0 * 2 > most }
            return Double(whole) / Double(counts.count) * (most > 2 ? 0.8 : 0.6)
        }
    }
}

/// A format that is to be guessed with options, too.
package protocol VariedFormat: Format {
    /// The options to try on a text.
    static func variants(for text: [UInt8]) -> [FormatVariant]
}

/// Options of a format, as values and as written in a pipeline file.
package struct FormatVariant {
    let options: Arguments
    let text: String
    /// Whether it is better than another format that fits equally well.
    var winsTies = false
    /// 0 to 1: how much it says that a record can be read this way.
    var weight = 1.0

    init(_ key: String, _ value: Argument, as text: String, winsTies: Bool = false, weight: Double = 1) {
        options = Arguments([key: value])
        self.text = "\(key): \(text)"
        self.winsTies = winsTies
        self.weight = weight
    }
}

/// A format that also reads records which are more likely in no format at all.
package protocol DoubtfulFormat: Format {
    /// Whether a record, as JSON, has what others would not have.
    func isEvident(in record: ValueMap) -> Bool
}
