import Glibc
import SluiceCEL

/// `files`: files given by path or pattern; `-` is standard input.
package struct FileSource: DeclaredSource {
    package static let declaration = Declaration(
        "files", "a path, a pattern (`*`, `?`, `[a-z]`, `{a,b}`, `**`), an address such as `s3://bucket/logs/*.gz`, or a list of them; `-` is standard input",
        argument: .short(.list(.text), for: "files", in: []), options: FileChoice.options, example: "files: logs/*.gz")

    package let inputs: [InputFile]

    package init(_ inputs: [InputFile]) {
        self.inputs = inputs
    }

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        if let given = checking.givenInputs {
            self.init(given)
            return
        }
        var inputs: [InputFile] = []
        var known: Swift.Set<Name> = []
        for leaf in argument.leaves ?? [] where leaf.isComplete && FileChoice.reads(leaf.text, at: leaf.place, options, &checking) {
            do throws(InputError) {
                let matches = try InputFiles.matches(of: [leaf.text])
                for file in matches.files where known.insert(Name(file.path)).inserted { inputs.append(file) }
                for other in matches.passedOver {
                    checking.report(
                        "'\(leaf.text)' skips what is not a regular file: \(other)", at: leaf.place, fix: "give its own path to read it", severity: .warning
                    )
                }
            } catch {
                if checking.mayLackInputs, error.isAbsence { continue }
                checking.report("\(error)", at: leaf.place, fix: error.fix)
            }
        }
        let chosen = FileChoice(options, &checking).chosen(of: inputs)
        if chosen.isEmpty, !inputs.isEmpty { checking.report("'exclude' leaves no files to read", at: options[FileChoice.exclude]?.place) }
        self.init(chosen)
    }

    package func open(_ input: InputFile, at offset: UInt64) throws(InputError) -> any InputBytes {
        try InputFiles.open(input, at: offset)
    }

    package func file(of input: InputFile) throws(InputError) -> FileIdentity? {
        try input.isStandardInput ? .ofRegularFile(descriptor: STDIN_FILENO) : .ofRegularFile(input.path)
    }
}

extension InputError {
    fileprivate var isAbsence: Bool {
        switch self {
        case .missing, .noMatch: true
        default: false
        }
    }

    fileprivate var fix: String? {
        switch self {
        case .missing(let path) where Address.isAddress(path), .noMatch(let path, _) where Address.isAddress(path): nil
        case .missing(let path): InputFiles.nearby(path) ?? "relative paths start from the current folder, not from that of the pipeline file"
        case .noMatch(let pattern, _): InputFiles.nearby(pattern) ?? "relative paths start from the current folder, not from that of the pipeline file"
        default: nil
        }
    }
}
