import Foundation
import SluiceCEL

/// One case of the specification's conformance suite, read from one line of JSON.
struct ConformanceCase: Decodable {
    struct Variable: Decodable {
        let name: String
        let type: String?
        let function: [Signature]?
    }

    struct Signature: Decodable {
        let instance: Bool
        let params: [String]
        let result: String
    }

    struct Expectation: Decodable {
        let kind: String
        let value: TaggedValue?
    }

    let id: String
    let file: String
    let expr: String
    let container: String?
    let disableMacros: Bool?
    let disableCheck: Bool?
    let checkOnly: Bool?
    let deducedType: String?
    let typeEnv: [Variable]?
    let bindings: [String: TaggedValue]?
    let expected: Expectation

    /// The file that `SLUICE_CEL_CASES` names, or the shared one next to the project; nil if there
    /// is neither.
    static func file(from directory: URL) -> URL? {
        if let path = ProcessInfo.processInfo.environment["SLUICE_CEL_CASES"] { return URL(filePath: path) }
        let shared = directory.appending(path: "../shared/cel/cases.jsonl")
        return FileManager.default.fileExists(atPath: shared.path) ? shared : nil
    }
}

/// One line of a file of cases.
enum ConformanceLine {
    struct Heading: Decodable {
        let id: String
        let file: String
        let `class`: String
    }

    case plain(ConformanceCase)
    /// Needs protocol-buffer messages, and is ignored.
    case skipped(Heading)
    /// A plain case in an unknown form.
    case unreadable(Heading, String)

    static func read(_ file: URL) throws -> [ConformanceLine] {
        let decoder = JSONDecoder()
        // Variable names are dictionary keys, which this leaves as they are.
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).map { line in
            let heading = try decoder.decode(Heading.self, from: line)
            guard heading.class == "plain" else { return .skipped(heading) }
            do {
                return .plain(try decoder.decode(ConformanceCase.self, from: line))
            } catch {
                return .unreadable(heading, "\(error)")
            }
        }
    }
}

/// `{"type": "int", "value": "5"}`
struct TaggedValue: Decodable {
    let value: Value

    private enum Key: CodingKey {
        case type, value
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let type = try container.decode(String.self, forKey: .type)
        func text() throws -> String { try container.decode(String.self, forKey: .value) }
        func unreadable() -> DecodingError {
            DecodingError.dataCorruptedError(forKey: .value, in: container, debugDescription: "no \(type)")
        }
        func required<Result>(_ result: Result?) throws -> Result {
            guard let result else { throw unreadable() }
            return result
        }
        switch type {
        case "null": value = .null
        case "bool": value = .bool(try container.decode(Bool.self, forKey: .value))
        case "int": value = .int(try required(Int64(try text())))
        case "uint": value = .uint(try required(UInt64(try text())))
        case "double": value = .double(try required(Double(try text())))
        case "string": value = .string(try text())
        case "bytes": value = .bytes(Array(try required(Data(base64Encoded: try text()))))
        case "timestamp": value = .timestamp(try required(Timestamp(try text())))
        case "duration": value = .duration(try TaggedValue.duration(try text()))
        case "type": value = .type(CELType(try text()) ?? .opaque(try text(), []))
        case "list": value = .list(try container.decode([TaggedValue].self, forKey: .value).map(\.value))
        case "map":
            var map = ValueMap()
            for pair in try container.decode([[TaggedValue]].self, forKey: .value) {
                guard pair.count == 2 else { throw unreadable() }
                map.set(pair[0].value, to: pair[1].value)
            }
            value = .map(map)
        default: throw unreadable()
        }
    }

    /// Seconds with a fraction and an `s`, which the language itself can read.
    private static func duration(_ text: String) throws -> Duration {
        let program = try Program("duration('\(text)')", in: .strict())
        guard case .duration(let duration) = try program.evaluate(MapLookup(ValueMap(), for: program)).get() else { return .zero }
        return duration
    }
}
