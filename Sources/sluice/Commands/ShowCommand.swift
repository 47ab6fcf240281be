import ArgumentParser
import FoundationEssentials
import SluiceDefinition
import SluiceRecords

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Group dead letters by cause.",
        discussion: """
            Reads a dead-letter file, compressed or not, and groups its records by stage, code and message, ignoring numbers and quoted texts. \
            Prints the count of each group, and an example with the position of its record.

            FILE@OFFSET prints the line of an input that contains that byte of its text ('source.offset' of a dead letter).

            EXAMPLES
              sluice show .sluice/access-errors/dead-letter.jsonl.gz
              sluice show out/dead-letter.jsonl.gz --code parse.combined --raw > bad.log
              sluice show logs/a.log.gz@812344

            EXIT CODES
              0  success
              1  the file could not be read to its end
              2  there is no such file, or it is not a dead-letter file
            """)

    @ArgumentParser.Argument(help: "A dead-letter file, '-' for standard input, or FILE@OFFSET.", completion: .file())
    var file: String

    @Option(help: ArgumentHelp("Only dead letters of this stage.", valueName: "name"))
    var stage: String?

    @Option(help: ArgumentHelp("Only dead letters with this code.", valueName: "code"))
    var code: String?

    @Option(help: ArgumentHelp("The number of examples of each group.", valueName: "n"))
    var examples = 1

    @Flag(help: "Print the records' original bytes instead, each followed by a line feed.")
    var raw = false

    func validate() throws {
        if !(0...1000).contains(examples) { throw ValidationError("'--examples' must be from 0 to 1000.") }
    }

    func run() throws {
        do throws(InputError) {
            try InputFile(path: place?.path ?? file).checkIsRegular()
        } catch {
            throw failed(.input(error))
        }
        if let (path, offset) = place { return try printRecord(of: path, at: offset) }
        var triage = DeadLetterTriage(examples: examples)
        var output = RawOutput()
        var cut = 0
        var missing = 0
        do throws(RunError) {
            try LineFile.forEachLine(of: file) { (line, number) throws(RunError) in
                let letter = try MetDeadLetter(line: line, of: file, number: number)
                guard stage == nil || letter.stage == stage, code == nil || letter.code == code else { return }
                if letter.rawKind == .beginning { cut += 1 }
                guard raw else { return triage.add(letter) }
                if letter.rawKind == .withheld || letter.rawKind == .none { missing += 1 } else { output.write(letter.raw) }
            }
        } catch {
            output.flush()
            throw failed(error)
        }
        output.flush()
        if raw, cut > 0 {
            Terminal.error.write(
                "sluice: \(file): of \(cut) of these records, only the beginning is in the dead letters ('raw_cut'); FILE@OFFSET prints a whole one\n")
        }
        if missing > 0 {
            let letters = missing == 1 ? "1 dead letter has" : "\(Figures.count(missing)) dead letters have"
            let reason = "no original bytes, since 'redact' withheld them, and \(missing == 1 ? "is" : "are") not printed"
            Terminal.error.write("sluice: \(file): \(letters) \(reason)\n")
        }
        if !raw { Terminal.output.write(TriageTable.text(triage, of: file, Paint(isOn: Terminal.output.isColored), width: Terminal.output.lineWidth)) }
    }

    /// The parts before and after the last `@`, unless a file has the whole text as its name.
    private var place: (path: String, offset: UInt64)? {
        guard let at = file.lastIndex(of: "@"), let offset = UInt64(file[file.index(after: at)...]), !FileManager.default.fileExists(atPath: file) else {
            return nil
        }
        return (String(file[..<at]), offset)
    }

    private func printRecord(of path: String, at offset: UInt64) throws {
        do throws(RunError) {
            guard try LineFile.writeRecord(of: path, at: offset, { Terminal.output.write(Array($0)) }) else {
                Log.error("\(path): byte \(offset) is beyond its end")
                throw .fault("")
            }
            Terminal.output.write("\n")
        } catch {
            throw error == .fault("") ? ExitStatus.failed : failed(error)
        }
    }

    private func failed(_ error: RunError) -> ExitStatus {
        Log.error("\(error)")
        if case .input(.missing) = error { Terminal.error.write(Wrapping.wrapped(UnpublishedLetters.text(file), to: Terminal.error.lineWidth)) }
        switch error {
        case .report, .input(.missing), .input(.noMatch), .input(.folder), .input(.unreadable): return .wrong
        default: return .failed
        }
    }
}

/// Buffers bytes for standard output.
private struct RawOutput {
    private var bytes: [UInt8] = []

    mutating func write(_ record: [UInt8]) {
        bytes += record
        bytes.append(UInt8(ascii: "\n"))
        if bytes.count > 1 << 16 { flush() }
    }

    mutating func flush() {
        Terminal.output.write(bytes)
        bytes = []
    }
}
