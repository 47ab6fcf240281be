import SluiceCEL

/// A format that can take the types of its fields from the first records of the first input.
package protocol InferringFormat: Format {
    var infersTypes: Bool { get }

    /// The fields whose types the definition gives.
    var typedFields: [String] { get }

    /// The format with the types that all values of the sample have, and these types by field.
    func inferring(from sample: Batch) -> (format: any Format, types: [InferredField])
}

/// The type of a field by a sample.
package struct InferredField: Sendable {
    var name: String
    var type: FieldType
    /// See ``FieldInference/onlyText``.
    var onlyText: String?
}

/// A format in which texts can stand for no value.
protocol NullingFormat: Format {
    /// Those of its option `nulls` by default.
    static var defaultNulls: [String] { get }
}

/// The type that all values of a field have in common.
///
/// Only what is written back without loss gets a type: a number with leading zeros or a plus sign,
/// or an integer beyond 64 bits, is text, and so are integers among doubles that no double holds.
struct FieldInference {
    private var kinds: Set<FieldType> = []
    /// Whether an integer is too large to be a double.
    private var hasWideInteger = false
    private var hasSpecialNumber = false
    private var words = Words.none

    /// The texts that have no type of their own.
    private enum Words {
        case none
        case one(String)
        case several
    }

    private static let boolWords: [String: FieldType] = [
        "true": .bool, "True": .bool, "TRUE": .bool, "false": .bool, "False": .bool, "FALSE": .bool,
    ]
    private static let specialNumbers = ["nan", "inf", "-inf", "infinity", "-infinity"]

    /// - Parameter text: a value, followed by 64 readable bytes.
    mutating func take(_ text: UnsafeBufferPointer<UInt8>) {
        guard let start = text.baseAddress, let first = text.first else {
            takeWord("")
            return
        }
        if first == UInt8(ascii: "-") || first &- 0x30 < 10, let kind = number(start, start + text.count) {
            kinds.insert(kind)
        } else if first &- 0x30 < 10, text.count >= 20, FieldType.timestamp.cell(start, start + text.count) != nil {
            kinds.insert(.timestamp)
        } else if text.count <= 9 {
            let word = String(decoding: text, as: UTF8.self)
            if Self.specialNumbers.contains(word.lowercased()) {
                hasSpecialNumber = true
            } else if let kind = Self.boolWords[word] {
                kinds.insert(kind)
            } else {
                takeWord(word)
            }
        } else {
            words = .several
        }
    }

    private mutating func takeWord(_ word: String) {
        switch words {
        case .none: words = .one(word)
        case .one(let known): if !known.isSame(as: word) { words = .several }
        case .several: break
        }
    }

    /// `int` or `double`; `nil` if the text is no number that can be written back.
    private mutating func number(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> FieldType? {
        do throws(JSONFault) {
            let number = try JSONScan.number(start, end)
            guard number.end == end else { return nil }
            // An int has no sign of zero.
            let isNegativeZero = end - start == 2 && start[0] == UInt8(ascii: "-") && start[1] == UInt8(ascii: "0")
            if number.isInteger, !isNegativeZero {
                guard let value = FieldType.int.cell(start, end)?.intValue else { return nil }
                if Int64(exactly: Double(value)) != value { hasWideInteger = true }
                return .int
            }
            return FieldType.double.cell(start, end) == nil ? nil : .double
        } catch {
            return nil
        }
    }

    var type: FieldType {
        guard case .none = words else { return .string }
        return typeOfOthers
    }

    /// The only value that is not of a type that all others have: probably a word for no value.
    var onlyText: String? {
        guard case .one(let word) = words, typeOfOthers != .string else { return nil }
        return word
    }

    /// The type of the values that are not words.
    private var typeOfOthers: FieldType {
        switch kinds {
        case [.int] where !hasSpecialNumber: .int
        case [.double], [.int], [.int, .double]: hasWideInteger ? .string : .double
        case [.bool] where !hasSpecialNumber: .bool
        case [.timestamp] where !hasSpecialNumber: .timestamp
        default: .string
        }
    }

    /// The types of the fields that a format with known fields finds in a sample.
    static func types(in sample: Batch, _ format: any Format) -> [InferredField] {
        let names = format.schema.names
        let table = RowTable(columns: names.count, hasSpans: false)
        table.prepare(rows: sample.frames.count)
        format.makeDecoder(columns: names, spans: false).decode(sample.frames, of: UnsafePointer(sample.bytes.start), into: table)
        return names.indices.map { column in
            var inference = FieldInference()
            for row in 0..<table.rows where table.outcomes[row] == .decoded {
                let cell = table.row(row)[column]
                if cell.kind != .absent { inference.take(cell.textBytes) }
            }
            return InferredField(name: names[column], type: inference.type, onlyText: inference.onlyText)
        }
    }
}
