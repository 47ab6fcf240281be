import FoundationEssentials

extension RunReport {
    /// The report as `report.json` has it: keys in snake case, in alphabetical order, indented.
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
            throw .report(path: path, reason: "it is not a report of sluice: \(error)")
        } catch {
            throw .report(path: path, reason: "\(error)")
        }
    }

    /// Makes the folder that a run keeps its report and its records over the limit in.
    static func prepare(folder: String) throws(RunError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw .report(path: folder, reason: "the state folder cannot be made: \(error)")
        }
    }

    /// Writes `report.json` into the folder: whole or not at all.
    func write(toFolder folder: String) throws(RunError) {
        let path = "\(folder)/report.json"
        do {
            try Data(try json()).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw .report(path: path, reason: "\(error)")
        }
    }
}
