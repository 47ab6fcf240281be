package import SluiceCEL

/// Reads JSON text as values of expressions.
///
/// An integer becomes an `int`, or a `uint` if only that can hold it; any other number becomes the
/// nearest `double`; a number that fits none of them (`1e400`, `-0`, integers beyond 64 bits)
/// becomes a decimal with its digits. Of duplicate keys, the last value is kept, in the place of
/// the first. Nesting deeper than 1,024 levels is an error. A lone surrogate becomes U+FFFD.
///
/// Unsafe memory: 64 bytes after each text must be readable, as in a batch's bytes and a
/// `TextArena`.
package struct JSONReader: CompositeReader {
    private let mostValues: Int

    /// - Parameter mostValues: the number of values, with those inside of others, that a text may
    ///   become; more exceed the cost limit.
    package init(mostValues: Int = .max) {
        self.mostValues = mostValues
    }

    /// For expressions. A value takes more memory than its text, `0` for one of a list some twenty
    /// times as much.
    static let ofExpressions = JSONReader(mostValues: 500_000)

    package func value(ofJSON text: UnsafeBufferPointer<UInt8>) throws(EvaluationError) -> Value {
        guard let start = text.baseAddress else { throw EvaluationError(.invalidArgument, "not JSON: no text") }
        var building = JSONBuilding(start, start + text.count, mostValues: mostValues)
        do throws(JSONFault) {
            return try building.value()
        } catch {
            if building.isExhausted { throw .costLimit }
            throw Self.error(text, error)
        }
    }

    package func member(
        _ name: String, ofJSON text: UnsafeBufferPointer<UInt8>, _ scratch: Scratch
    ) throws(EvaluationError) -> Cell? {
        var name = name
        let found: Result<Cell?, EvaluationError> = name.withUTF8 { wanted in
            do throws(JSONFault) {
                return .success(try Self.member(wanted, text, scratch))
            } catch {
                return .failure(Self.error(text, error))
            }
        }
        return try found.get()
    }

    private static func member(
        _ name: UnsafeBufferPointer<UInt8>, _ text: UnsafeBufferPointer<UInt8>, _ scratch: Scratch
    ) throws(JSONFault) -> Cell? {
        var found = Cell.absent
        let isObject = try JSONMembers.forEach(in: text) { (key, isEscaped, value, end) throws(JSONFault) in
            guard try isKey(key, isEscaped, end, name) else { return }
            _ = try JSONValue.read(value, end, scratch.text, into: &found)
        }
        return isObject ? found : nil
    }

    private static func isKey(
        _ key: JSONScan.Place, _ isEscaped: Bool, _ end: JSONScan.Place, _ name: UnsafeBufferPointer<UInt8>
    ) throws(JSONFault) -> Bool {
        if isEscaped {
            let close = try JSONScan.string(key + 1, end).close
            return JSONValue.string(key + 1, close, true).utf8.elementsEqual(name)
        }
        guard end - key > name.count + 1, key[name.count + 1] == UInt8(ascii: "\"") else { return false }
        return UnsafeBufferPointer(start: key + 1, count: name.count).elementsEqual(name)
    }

    private static func error(_ text: UnsafeBufferPointer<UInt8>, _ fault: JSONFault) -> EvaluationError {
        EvaluationError(.invalidArgument, "not JSON: \(fault.message(in: text))")
    }
}
