import SluiceCEL

/// Explains that values that are ordered are text, and that numbers in them are not in the order of
/// numbers: `1400` is before `227`.
struct NumbersAsText {
    /// The explanation; `nil` if the values are not text, not numbers for the most part, or in the
    /// same order as either.
    let text: String?

    /// - Parameter value: what is ordered.
    init(_ value: CellProgram, over records: [ValueMap]) {
        let texts = value.values(over: records).compactMap { if case .string(let text) = $0 { text } else { nil } }
        let numbers = texts.compactMap { text in Self.number(text).map { (text: text, number: $0) } }
        // A word for no value, such as NA, may be among them.
        guard !numbers.isEmpty, numbers.count * 10 >= texts.count * 9, let pair = Self.pairOutOfOrder(numbers) else {
            text = nil
            return
        }
        let cast = numbers.allSatisfy { Int($0.text) != nil } ? "int" : "double"
        text =
            "\(value.text) is text, which puts '\(pair.0)' before '\(pair.1)': write \(cast)(\(value.text)), "
            + "or give the field a type in the source's format ('types')"
    }

    /// Whether fields of the format are text that may be meant as numbers.
    static func mayBe(in format: any Format) -> Bool { format is any InferringFormat || format is Logfmt || format is RegexFormat }

    private static func number(_ text: String) -> Double? {
        guard let last = text.utf8.last, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "+-.".utf8.contains($0) })
        else { return nil }
        return Double(text)
    }

    /// Two texts of which the first is less as text, and greater as a number.
    private static func pairOutOfOrder(_ numbers: [(text: String, number: Double)]) -> (String, String)? {
        let sorted = numbers.sorted { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
        return zip(sorted, sorted.dropFirst()).first { $0.number > $1.number }.map { ($0.text, $1.text) }
    }
}

extension CellProgram {
    var mayBeText: Bool { [.dyn, .string].contains(type.optionalValue) }

    /// Its values for the records that have one.
    func values(over records: [ValueMap]) -> [Value] {
        records.compactMap { record in
            if case .success(let value) = program.evaluate(MapLookup(record, for: program)) { value } else { nil }
        }
    }
}
