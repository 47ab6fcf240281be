import FoundationEssentials
import Glibc
import SluiceCEL

extension RunReport {
    /// The contents of `report.json`: indented, with snake-case keys in alphabetical order.
    package func json() throws(RunError) -> [UInt8] { try ReportText(self).bytes }

    /// The digest of the report, whatever ``digest`` it has; `nil` if it cannot be encoded.
    package var ownDigest: String? { (try? ReportText(self))?.digest }

    package init(contentsOf path: String) throws(RunError) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            self = try decoder.decode(RunReport.self, from: try Data(contentsOf: URL(filePath: path)))
            // Only reports of earlier versions have no digest.
            if digest == nil, deadLetters.sha256 != nil { digest = "none" }
        } catch let error as DecodingError {
            throw .report(path: path, reason: "not a report of sluice: \(error.sentence)")
        } catch {
            throw .report(path: path, reason: Self.unreadable(path, error))
        }
    }

    private static func unreadable(_ path: String, _ error: any Error) -> String {
        switch PathKind.of(path) {
        case .missing: "no such file"
        case .folder: "is a folder; name the report.json in it"
        case .unreadable(let reason): "cannot be read: \(reason)"
        case .file(size: nil): "is \(PathKind.words(of: Array(path.utf8))), and a report is a file"
        case .file: "cannot be read" + (systemError(error).map { ": \(describe(error: $0))" } ?? "")
        }
    }

    private static func systemError(_ error: any Error) -> Int32? { ((error as? CocoaError)?.underlying as? POSIXError)?.code.rawValue }

    /// Creates the state folder, which holds a run's report and its spilled records.
    static func prepare(folder: String) throws(RunError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .report(path: folder, reason: "the state folder cannot be created: \(reason(folder, error))")
        }
    }

    /// Why a folder cannot be created.
    ///
    /// - Parameter error: the system's.
    private static func reason(_ folder: String, _ error: any Error) -> String {
        if let refusal = refusal(ofState: folder) { return refusal }
        let parent = existing(folder)
        if case .unreadable(let reason) = PathKind.of(parent) { return reason }
        guard let code = systemError(error), ![EACCES, EPERM, ENOENT].contains(code) else { return "no permission to create it in '\(parent)'" }
        return describe(error: code)
    }

    /// Why there can be no state folder at a path: a file or a broken link has its place, or that
    /// of a folder that it would be in.
    package static func refusal(ofState folder: String) -> String? {
        let parent = existing(folder)
        switch PathKind.of(parent) {
        case .file: return "'\(parent)' is a file, not a folder"
        case .missing where isLink(parent): return "'\(parent)' is a broken link"
        case .missing, .folder, .unreadable: return nil
        }
    }

    /// The path, or the first above it that exists, be it as a broken link.
    private static func existing(_ folder: String) -> String {
        var parent = folder
        while case .missing = PathKind.of(parent), !isLink(parent), parent != ".", parent != "/" { parent = OutputFolders.folder(of: parent) }
        return parent
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// Writes the report to a file atomically. Replaces a symbolic link at that path, not its
    /// target.
    package func write(to path: String) throws(RunError) { try Self.write(ReportText(self), to: path) }

    /// As ``write(to:)``, for a report that is encoded already.
    static func write(_ text: ReportText, to path: String, staging: Staging = Staging()) throws(RunError) {
        try publish(path) { () throws(OutputError) in try staged(text, for: path, staging) }
    }

    /// As ``write(to:)``, for a report that is encoded as something else.
    package static func write(_ bytes: [UInt8], to path: String) throws(RunError) {
        try publish(path) { () throws(OutputError) in
            let file = OutputSet()
            try bytes.withUnsafeBufferPointer { (bytes) throws(OutputError) in try file.append(bytes, records: 1, to: path) }
            return file
        }
    }

    private static func publish(_ path: String, _ stage: () throws(OutputError) -> OutputSet) throws(RunError) {
        do throws(OutputError) {
            _ = try stage().publish()
        } catch {
            guard case .failed(let place, let reason) = error, place.isSame(as: path) else {
                throw .report(path: path, reason: "cannot be written: \(error)")
            }
            throw .report(path: path, reason: reason)
        }
    }

    /// A report that is complete and on disk, and not yet in its place.
    static func staged(_ text: ReportText, for path: String, _ staging: Staging) throws(OutputError) -> OutputSet {
        let file = OutputSet(staging: staging)
        try text.forEachPiece { (bytes) throws(OutputError) in try file.append(bytes, records: 0, to: path) }
        try file.prepare()
        return file
    }
}

extension DecodingError {
    /// What is wrong, for users.
    fileprivate var sentence: String {
        switch self {
        case .keyNotFound(let key, let context): "'\(Self.path(context.codingPath + [key]))' is missing"
        case .typeMismatch(_, let context) where context.codingPath.isEmpty: "it is not a JSON object"
        case .typeMismatch(_, let context), .valueNotFound(_, let context): "'\(Self.path(context.codingPath))' has another type"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty: "'\(Self.path(context.codingPath))' has an impossible value"
        default: "it is not JSON"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined(separator: ".").replacing(".[", with: "[")
    }
}
