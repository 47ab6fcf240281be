import Glibc
import Sluice
import SluiceCEL
import Synchronization

/// `files_from`: the files whose paths are listed in a file or on standard input, one per line.
package struct FileListSource: DeclaredSource {
    package static let declaration = Declaration(
        "files_from",
        "a file that lists paths, one per line, or separated by NULs as `find -print0` writes them; paths are literal; `-` reads the list from standard input",
        argument: .text, options: FileChoice.options, example: "files_from: list.txt")

    package let inputs: [InputFile]
    package let list: String?

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let leaf = argument.leaf, leaf.isComplete else { return nil }
        list = leaf.text
        if let given = checking.givenInputs {
            inputs = given
            return
        }
        do throws(InputError) {
            let paths = try FileList.paths(in: leaf.text)
            var files: [InputFile] = []
            var known: Swift.Set<Name> = []
            let objects = try Self.objects(in: paths, of: leaf, options, &checking)
            for (line, path) in paths where !Address.isAddress(path) || objects[line] != nil {
                do throws(InputError) {
                    let file = if let object = objects[line] { try object.get() } else { try InputFiles.named(path) }
                    if known.insert(Name(file.path)).inserted { files.append(file) }
                } catch {
                    let fix = Address.isAddress(path) ? nil : "relative paths start from the current folder"
                    checking.report("\(leaf.text):\(line): \(error)", at: leaf.place, fix: fix)
                    return nil
                }
            }
            inputs = FileChoice(options, &checking).chosen(of: files)
        } catch {
            checking.report("\(error)", at: leaf.place)
            return nil
        }
        if inputs.isEmpty { checking.report("'\(leaf.text)' lists no file to read", at: leaf.place, severity: .warning) }
    }

    /// What is behind the addresses in a list, by line: asked for at once, since each answer takes
    /// a while.
    private static func objects(
        in paths: [(line: Int, path: String)], of list: Leaf, _ options: Arguments, _ checking: inout Checking
    ) throws(InputError) -> [Int: Result<InputFile, InputError>] {
        let addresses = paths.filter { Address.isAddress($0.path) }
        guard let first = addresses.first else { return [:] }
        if let (line, path) = addresses.first(where: { Address.refusal(of: $0.path) != nil }), let reason = Address.refusal(of: path) {
            checking.report("\(list.text):\(line): \(reason)", at: list.place, fix: Address.refusalFix)
            return [:]
        }
        guard FileChoice.reads(first.path, at: list.place, options, &checking) else { return [:] }
        let found = try Fetcher.shared.objects(at: addresses.map(\.path))
        return Dictionary(zip(addresses.map(\.line), found), uniquingKeysWith: { $1 })
    }

    package func open(_ input: InputFile, at offset: UInt64) throws(InputError) -> any InputBytes {
        try InputFiles.open(input, at: offset)
    }

    package func file(of input: InputFile) throws(InputError) -> FileIdentity? { try .ofRegularFile(input.path) }
}

/// The choice of files to read among those that a source names.
package struct FileChoice {
    package static let options = [
        ArgumentKey(
            exclude, .short(.list(.text), for: exclude, in: []), example: "exclude: logs/*.tmp.gz",
            "paths or patterns, as in `files`, of files to leave out; with `archive`, also of files in archives: `logs/*.tar.gz/**/*.bin`"),
        ArgumentKey(
            newOnly, .flag, default: "false", example: "new_only: true",
            "whether to leave out files that an earlier, successful run with the same state folder has read"),
    ]
    package static let exclude = "exclude"
    package static let newOnly = "new_only"

    private var excluded: Swift.Set<Name> = []

    init(_ options: Arguments, _ checking: inout Checking) {
        for leaf in options[Self.exclude]?.leaves ?? [] where leaf.isComplete && Self.reads(leaf.text, at: leaf.place, options, &checking) {
            do throws(InputError) {
                for file in try InputFiles.matches(of: [leaf.text]).files { excluded.insert(Name(file.path)) }
            } catch {
                switch error {
                // A file that doesn't exist need not be left out.
                case .noMatch, .missing: break
                default: checking.report("exclude: \(error)", at: leaf.place)
                }
            }
        }
    }

    /// Whether to look for the files of a pattern, which is not done for an address if inputs may
    /// be missing. Reports an address that cannot be used.
    static func reads(_ pattern: String, at place: TextPlace, _ options: Arguments, _ checking: inout Checking) -> Bool {
        guard Address.isAddress(pattern) else { return true }
        if let reason = Address.refusal(of: pattern) {
            // Not at its place, whose line would be shown.
            checking.report("line \(place.start.line): \(reason)", at: nil, fix: Address.refusalFix)
            return false
        }
        if let newOnly = options[Self.newOnly], newOnly.flag == true {
            checking.report(
                "'new_only' is for files, not for addresses", at: newOnly.place, fix: "choose the objects by a pattern with a parameter, such as a day")
            return false
        }
        return !checking.mayLackInputs
    }

    func chosen(of files: [InputFile]) -> [InputFile] { files.filter { !excluded.contains(Name($0.path)) } }
}

/// A list of paths.
private enum FileList {
    /// The maximum size of a list in bytes.
    private static let most = 256 << 20
    /// The contents of standard input, kept because it can only be read once but a definition may
    /// be checked twice.
    private static let standardInput = Locked<[UInt8]?>(nil)

    /// - Returns: the paths with their line numbers, from 1; blank lines are skipped.
    static func paths(in file: String) throws(InputError) -> [(line: Int, path: String)] {
        let bytes = try bytes(of: file)
        let separator: UInt8 = bytes.contains(0) ? 0 : 0x0A
        var paths: [(line: Int, path: String)] = []
        for (index, line) in bytes.split(separator: separator, omittingEmptySubsequences: false).enumerated() {
            let path = separator == 0x0A && line.last == 0x0D ? line.dropLast() : line
            guard !path.isEmpty else { continue }
            guard let text = String(validating: path, as: UTF8.self) else {
                throw .unreadable(path: "\(file):\(index + 1)", reason: "the path is not UTF-8; rename the file")
            }
            paths.append((index + 1, text))
        }
        return paths
    }

    private static func bytes(of file: String) throws(InputError) -> [UInt8] {
        let input = InputFile(path: file)
        guard input.isStandardInput else {
            try input.checkIsRegular()
            return try read(input)
        }
        if let bytes = standardInput.withLock({ $0 }) { return bytes }
        let bytes = try read(input)
        standardInput.withLock { $0 = bytes }
        return bytes
    }

    private static func read(_ file: InputFile) throws(InputError) -> [UInt8] {
        let descriptor = try InputDescriptor(file)
        defer { descriptor.close() }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { descriptor.read(into: $0) }
            if count < 0 { throw .unreadable(path: file.path, reason: describe(error: Int32(-count))) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > most { throw .unreadable(path: file.path, reason: "the list is larger than 256 MiB") }
        }
    }
}
