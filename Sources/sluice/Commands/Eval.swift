import ArgumentParser
import SluiceCEL
import SluiceRecords

struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Evaluate an expression and print its value.",
        discussion: """
            The fields of --record are the variables of the expression, as in a pipeline file; 'record' is the whole record. \
            The value is printed as JSON or, with --typed, as an expression with its type. Write '--' before an expression \
            that begins with '-'.

            EXAMPLES
              sluice eval '1 + 2 * 3'
              sluice eval 'status >= 500 && path.startsWith("/api")' --record '{"status": 503, "path": "/api/v1"}'
              sluice eval 'duration("90m") + duration("30s")' --typed

            EXIT CODES
              0  the value was printed
              1  the evaluation failed; the message says why
              2  the expression does not compile, or --record is not a JSON object
            """)

    @ArgumentParser.Argument(help: "The expression, in the Common Expression Language (see docs/expressions.md).")
    var expression: String

    @Option(help: ArgumentHelp("The record, as a JSON object.", valueName: "json"))
    var record: String?

    @Flag(help: "Print the value as an expression, with its type.")
    var typed = false

    func run() throws {
        switch ExpressionEvaluation(expression, record: record, isTyped: typed).outcome {
        case .value(let text): Terminal.output.write(text + "\n")
        case .noValue(let message):
            Terminal.error.write(message)
            throw ExitStatus.failed
        case .wrong(let message):
            Terminal.error.write(message)
            throw ExitStatus.wrong
        }
    }
}

/// The value of an expression for one record, as text.
struct ExpressionEvaluation {
    enum Outcome: Equatable {
        case value(String)
        case noValue(String)
        case wrong(String)
    }

    let outcome: Outcome

    init(_ expression: String, record: String?, isTyped: Bool) {
        let fields: ValueMap
        switch Self.fields(of: record) {
        case .success(let map): fields = map
        case .failure(let problem):
            outcome = .wrong("sluice eval: --record: \(problem.message)\n")
            return
        }
        do {
            let program = try Program(expression, in: Environment())
            switch program.evaluate(MapLookup(fields, for: program)) {
            case .success(let value): outcome = .value(isTyped ? "\(value) : \(value.type)" : Self.json(value))
            case .failure(let error):
                let marked = Self.marked(error.message, at: error.range, in: expression)
                let suggestion = Self.suggestion(for: error, in: expression, among: fields)
                outcome = .noValue(marked + suggestion + Self.line(ofFix: ExpressionAdvice.fix(for: error, in: expression)))
            }
        } catch {
            let messages = error.all.map { diagnostic in
                Self.marked(diagnostic.description, at: diagnostic.range, in: expression)
                    + Self.line(ofFix: ExpressionAdvice.fix(for: diagnostic, in: expression))
            }
            outcome = .wrong(messages.joined(separator: "\n"))
        }
    }

    private static func fields(of record: String?) -> Result<ValueMap, EvaluationError> {
        guard var record else { return .success(ValueMap()) }
        // The reader may read past the text, into the buffer's padding.
        let buffer = ByteBuffer(capacity: record.utf8.count)
        record.withUTF8 { buffer.append($0) }
        do throws(EvaluationError) {
            guard case .map(let map) = try JSONReader().value(ofJSON: buffer.filled) else {
                return .failure(EvaluationError(.invalidArgument, "not a JSON object"))
            }
            return .success(map)
        } catch {
            return .failure(error)
        }
    }

    private static func json(_ value: Value) -> String {
        let buffer = ByteBuffer(capacity: 256)
        JSONText.write(value, to: buffer)
        return String(decoding: buffer.filled, as: UTF8.self)
    }

    /// The message, the line at fault, and a caret below the part at fault.
    private static func marked(_ message: String, at range: Range<Int>?, in expression: String) -> String {
        guard let range else { return "\(message)\n" }
        let bytes = Array(expression.utf8)
        let start = min(range.lowerBound, bytes.count)
        let lineStart = bytes[..<start].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let lineEnd = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        let end = max(start, min(range.upperBound, lineEnd))
        let line = String(decoding: bytes[lineStart..<lineEnd], as: UTF8.self)
        let before = String(decoding: bytes[lineStart..<start], as: UTF8.self).unicodeScalars.map { $0 == "\t" ? "\t" : " " }.joined()
        let width = String(decoding: bytes[start..<end], as: UTF8.self).unicodeScalars.count
        return "\(message)\n  \(line)\n  \(before)^\(String(repeating: "~", count: max(0, width - 1)))\n"
    }

    /// As `check` shows it.
    private static func line(ofFix fix: String?) -> String { fix.map { "  fix: \($0)\n" } ?? "" }

    private static func suggestion(for error: EvaluationError, in expression: String, among fields: ValueMap) -> String {
        guard error.code == .noSuchField, let range = error.range, range.upperBound <= expression.utf8.count else { return "" }
        let missing = String(decoding: Array(expression.utf8)[range], as: UTF8.self)
        let names = fields.entries.compactMap { entry -> String? in
            if case .string(let name) = entry.key { return name }
            return nil
        }
        guard let near = Spelling.nearest(to: missing.hasPrefix("record.") ? String(missing.dropFirst(7)) : missing, among: names) else {
            return ""
        }
        return "did you mean '\(near)'?\n"
    }
}
