import FoundationEssentials

extension RunReport {
    /// The contents of `report.json`: indented, with snake-case keys in alphabetical order.
    package func json() throws(RunError) -> [UInt8] {
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
        } catch let error as DecodingError {
            throw .report(path: path, reason: "not a sluice report: \(error)")
        } catch {
            throw .report(path: path, reason: "\(error)")
        }
    }

    /// Creates the state folder, which holds a run's report and its spilled records.
    static func prepare(folder: String) throws(RunError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .report(path: folder, reason: "the state folder cannot be created: \(error)")
        }
    }

    /// Writes the report to a file atomically. Replaces a symbolic link at that path, not its
    /// target.
    package func write(to path: String, staging: Staging = Staging()) throws(RunError) {
        let json = try json()
        let file = OutputSet(staging: staging)
        do throws(OutputError) {
            try json.withUnsafeBufferPointer { (bytes) throws(OutputError) in try file.append(bytes, records: 1, to: path) }
            _ = try file.publish()
        } catch {
            throw .report(path: path, reason: "the report cannot be written: \(error)")
        }
    }
}
