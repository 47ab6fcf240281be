import ArgumentParser
import FoundationEssentials
import SluiceDefinition
import SluiceRecords

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Write a pipeline file to start from.",
        discussion: """
            Guesses the format of sample files from their first records, and writes a pipeline file that reads them, with their fields, \
            comments and a test. Standard error says how certain the guess is. Without samples, writes an example with every section.

            EXAMPLES
              sluice init logs/*.gz > pipeline.yaml
              sluice init logs/access.log.gz --output pipeline.yaml && sluice run pipeline.yaml
              sluice init > pipeline.yaml

            EXIT CODES
              0  the file was written
              1  a sample could not be read, or no format matches
              2  the command line is invalid, or the output file already exists
            """)

    @ArgumentParser.Argument(help: "The sample files.", completion: .file())
    var samples: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write. (default: standard output)", valueName: "path"), completion: .file())
    var output: String?

    func validate() throws {
        if let output, FileManager.default.fileExists(atPath: output) {
            throw ValidationError("'\(output)' already exists; remove it first, or choose another file.")
        }
    }

    func run() async throws {
        guard !samples.isEmpty else { return try write(StarterFile()) }
        do {
            let files = try InputFiles.expand(samples)
            try write(await Self.starter(for: files))
        } catch let error as InputError {
            throw failed("\(error)")
        }
    }

    /// In bytes, decompressed: as much as a run takes types from.
    private static let beginning = 1 << 20

    private static func starter(for files: [InputFile]) async throws -> StarterFile {
        var best: (guess: FormatGuess, file: String)?
        var first: [UInt8] = []
        var archive: Archive?
        var encoding = TextEncoding.utf8
        // Enough to check that they are alike.
        for file in files.prefix(5) {
            try file.checkIsRegular()
            let (text, kind, read) = try beginning(of: file)
            guard !text.isEmpty else { throw Self.failure("\(file.path) is empty") }
            if let best, (kind == nil) != (archive == nil) {
                throw Self.failure("\(archive == nil ? file.path : best.file) is a tar archive, but not all samples are")
            }
            if let best, read != encoding {
                throw Self.failure("\(best.file) is \(encoding.rawValue) and \(file.path) is \(read.rawValue): all samples must have the same encoding")
            }
            (archive, encoding) = (kind, read)
            let guesses = try await withTemporaryFolder { await FormatGuess.guesses(for: text, state: $0) }
            guard let guess = guesses.first else {
                let whole = WholeText(text)
                throw Self.failure("\(file.path) " + (whole.map { "is \($0.what); \($0.fix)" } ?? "is not in a format that this version reads"))
            }
            if let whole = WholeText(text, readsDocuments: true), guess.confidence < 0.3 { throw Self.failure("\(file.path) is \(whole.what); \(whole.fix)") }
            if guess.name == Lines.declaration.name, text.contains(0) { throw Self.failure("\(file.path) is not text") }
            Terminal.error.write(Self.sentence(file.path, encoding, guesses))
            if let best, best.guess.format != guess.format {
                throw Self.failure("\(best.file) looks like \(best.guess.format) and \(file.path) like \(guess.format): all samples must have the same format")
            }
            if best == nil { (best, first) = ((guess, file.path), text) }
        }
        guard let guess = best?.guess else { throw Self.failure("the samples have no records") }
        let paths = files.map(\.path)
        let plain = StarterFile(for: paths, as: archive, encoding: encoding, in: guess, example: nil)
        return StarterFile(for: paths, as: archive, encoding: encoding, in: guess, example: await example(first, plain))
    }

    /// The beginning of a file or, if it is an archive, of the first file in it, as UTF-8.
    private static func beginning(of file: InputFile) throws(InputError) -> (text: [UInt8], archive: Archive?, encoding: TextEncoding) {
        func read(_ archive: Archive?, _ encoding: TextEncoding) throws(InputError) -> [UInt8] {
            try InputBeginning.text(of: file, from: FileSource([file]), as: archive, encoding: encoding, bytes: beginning)
        }
        var archive: Archive?
        var text: [UInt8]
        do throws(InputError) {
            text = try read(nil, .utf8)
        } catch {
            guard case .unsupported(_, let name) = error, Archive.Kind(rawValue: name) != nil else { throw error }
            archive = Archive()
            text = try read(archive, .utf8)
        }
        let encoding = TextEncoding(guessedFrom: text)
        if encoding != .utf8 { text = try read(archive, encoding) }
        return (text, archive, encoding)
    }

    private static func sentence(_ file: String, _ encoding: TextEncoding, _ guesses: [FormatGuess]) -> String {
        func share(_ guess: FormatGuess) -> String { "\(guess.format) \(Figures.percent(guess.confidence))" }
        let others = guesses.dropFirst().filter { $0.confidence > 0.3 }.prefix(2).map(share)
        return "\(file): \(share(guesses[0])), reads \(Figures.count(guesses[0].read)) of \(Figures.count(guesses[0].records)) records"
            + (encoding == .utf8 ? "" : " of \(encoding.rawValue)") + (others.isEmpty ? "" : "; or \(others.joined(separator: ", "))") + "\n"
    }

    /// The first record of the text, and the pipeline's output for it.
    private static func example(_ text: [UInt8], _ file: StarterFile) async -> (input: [String], output: String)? {
        guard let pipeline = PipelineFile(path: "starter", text: file.text).check(mayLackInputs: true).pipeline else { return nil }
        let lines = text.split(separator: UInt8(ascii: "\n")).prefix(2).map { Array($0) }
        let count = (pipeline.source.format as? any HeadedFormat)?.needsHead == true ? 2 : 1
        let input = lines.prefix(count).compactMap { String(validating: $0, as: UTF8.self) }.map {
            $0.last == "\r\n" || $0.last == "\r" ? String($0.dropLast()) : $0
        }
        guard input.count == count, input.allSatisfy({ $0.utf8.count < 2000 }) else { return nil }
        let record = Array((input.joined(separator: "\n") + "\n").utf8)
        let outputs = try? await withTemporaryFolder { try await Trial.outputs(of: pipeline, on: [("record", record)], state: $0) }
        guard let lines = outputs?.first?.lines, lines.count == 1 else { return nil }
        return (input, lines[0])
    }

    private func write(_ file: StarterFile) throws {
        guard let output else { return Terminal.output.write(file.text) }
        do {
            try Data(file.text.utf8).write(to: URL(filePath: output), options: .withoutOverwriting)
        } catch {
            throw failed("\(output) cannot be written")
        }
    }

    private func failed(_ reason: String) -> ExitStatus { Self.failure(reason) }

    private static func failure(_ reason: String) -> ExitStatus {
        Log.error("\(reason)")
        return .failed
    }
}
