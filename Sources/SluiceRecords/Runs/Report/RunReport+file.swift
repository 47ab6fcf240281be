import FoundationEssentials

extension RunReport {
    /// The contents of `report.json`: indented, with snake-case keys in alphabetical order.
    package func json() throws(RunError) -> [UInt8] {
        var copy = self
        copy.digest = nil
        let json = try copy.encoded()
        // Not encoded once more with its digest: reports of many inputs are large.
        let place = Self.place(of: "digest", in: json)
        return json[..<place] + Array("  \"digest\" : \"\(Self.digest(of: json))\",\n".utf8) + json[place...]
    }

    /// The digest of the report, whatever ``digest`` it has; `nil` if it cannot be encoded.
    package var ownDigest: String? {
        var copy = self
        copy.digest = nil
        return (try? copy.encoded()).map(Self.digest)
    }

    private static func digest(of json: [UInt8]) -> String { json.withUnsafeBufferPointer { "sha256:" + Digest.of($0) } }

    /// The line of the first key of the report itself, not of a part, that comes after another key.
    private static func place(of key: String, in json: [UInt8]) -> Int {
        let key = Array(key.utf8)
        var line = 0
        while let end = json[line...].firstIndex(of: UInt8(ascii: "\n")) {
            if json[line...].starts(with: "  \"".utf8), key.lexicographicallyPrecedes(json[(line + 3)..<end]) { return line }
            line = end + 1
        }
        return line
    }

    private func encoded() throws(RunError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            throw .report(path: "report.json", reason: "\(error)")
        }
    }

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
            throw .report(path: path, reason: Self.unreadable(path))
        }
    }

    private static func unreadable(_ path: String) -> String {
        switch PathKind.of(path) {
        case .missing: "no such file"
        case .folder: "is a folder; name the report.json in it"
        case .unreadable(let reason): "cannot be read: \(reason)"
        case .file: "cannot be read; is it readable for you?"
        }
    }

    /// Creates the state folder, which holds a run's report and its spilled records.
    static func prepare(folder: String) throws(RunError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .report(path: folder, reason: "the state folder cannot be created: \(reason(folder))")
        }
    }

    /// Why a folder cannot be created.
    private static func reason(_ folder: String) -> String {
        var parent = folder
        while case .missing = PathKind.of(parent), parent != ".", parent != "/" { parent = OutputFolders.folder(of: parent) }
        switch PathKind.of(parent) {
        case .file: return "'\(parent)' is a file, not a folder"
        case .unreadable(let reason): return reason
        case .folder, .missing: return "no permission to create it in '\(parent)'"
        }
    }

    /// Writes the report to a file atomically. Replaces a symbolic link at that path, not its
    /// target.
    package func write(to path: String) throws(RunError) { try Self.write(json(), to: path) }

    /// As ``write(to:)``, for a report that is encoded already.
    package static func write(_ bytes: [UInt8], to path: String, staging: Staging = Staging()) throws(RunError) {
        let file = OutputSet(staging: staging)
        do throws(OutputError) {
            try bytes.withUnsafeBufferPointer { (bytes) throws(OutputError) in try file.append(bytes, records: 1, to: path) }
            _ = try file.publish()
        } catch {
            throw .report(path: path, reason: "the report cannot be written: \(error)")
        }
    }
}

extension DecodingError {
    /// What is wrong, for users.
    fileprivate var sentence: String {
        switch self {
        case .keyNotFound(let key, let context): "'\(Self.path(context.codingPath + [key]))' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context): "'\(Self.path(context.codingPath))' has another type"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty: "'\(Self.path(context.codingPath))' has an impossible value"
        default: "it is not JSON"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined(separator: ".").replacing(".[", with: "[")
    }
}
