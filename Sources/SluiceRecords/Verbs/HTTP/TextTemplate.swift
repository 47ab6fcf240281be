import SluiceCEL

/// Text with expressions in braces: `https://geo.example/v1/{ip}`.
struct TextTemplate: Sendable {
    enum Piece: Sendable {
        case text(String)
        /// A value from the environment, which no message may contain.
        case secret(String)
        case value(CellProgram, text: String)
    }

    private(set) var pieces: [Piece]

    /// - Parameters:
    ///   - what: names the text in messages.
    ///   - takesSecrets: whether a word `env:NAME` is replaced.
    init?(_ leaf: Leaf, _ what: String, takesSecrets: Bool = false, _ checking: inout Checking) {
        guard leaf.isComplete, let parts = PathPiece.pieces(of: leaf, &checking) else { return nil }
        var pieces: [Piece] = []
        var isFine = true
        for part in parts {
            switch part {
            case .text(let part) where takesSecrets:
                guard let split = Self.secrets(in: part, isFirst: pieces.isEmpty, &checking) else {
                    isFine = false
                    continue
                }
                pieces += split
            case .text(let part):
                pieces.append(.text(part.text))
            case .expression(let part):
                guard let program = checking.program(part, what) else {
                    isFine = false
                    continue
                }
                if !Self.isText(program.type) {
                    checking.report("\(what): '\(part.text)' is of type \(program.type)", at: part.place, fix: "text can contain text, numbers and times")
                    isFine = false
                }
                pieces.append(.value(program, text: part.text))
            }
        }
        guard isFine else { return nil }
        self.pieces = pieces
    }

    /// Whether values of the type, or in optionals of it, can be part of a text.
    private static func isText(_ type: CELType) -> Bool {
        guard case .opaque("optional_type", let parts) = type else { return type.isPathText }
        return parts.allSatisfy(\.isPathText)
    }

    /// Replaces each word `env:NAME`. Only text of the definition is searched, never a record's.
    private static func secrets(in leaf: Leaf, isFirst: Bool, _ checking: inout Checking) -> [Piece]? {
        var pieces: [Piece] = []
        var isFine = true
        for (index, word) in leaf.text.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
            if index > 0 { pieces.append(.text(" ")) }
            let name = word.dropFirst(4)
            guard word.hasPrefix("env:"), index > 0 || isFirst, isName(name) else {
                pieces.append(.text(String(word)))
                continue
            }
            guard let value = Environment.value(String(name)), !value.isEmpty else {
                checking.report("the environment variable '\(name)' is not set", at: leaf.place, fix: "set it to the secret")
                isFine = false
                continue
            }
            if value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
                checking.report("the environment variable '\(name)' contains a control character", at: leaf.place, fix: "remove the line end from it")
                isFine = false
            }
            pieces.append(.secret(value))
        }
        return isFine ? pieces : nil
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F }
    }

    /// The text, if it has neither expressions nor secrets.
    var constant: String? {
        var text = ""
        for piece in pieces {
            guard case .text(let part) = piece else { return nil }
            text += part
        }
        return text
    }

    var secrets: [String] {
        pieces.compactMap { piece in
            guard case .secret(let value) = piece else { return nil }
            return value
        }
    }

    var mentions: [String] {
        pieces.flatMap { piece -> [String] in
            guard case .value(let program, _) = piece else { return [] }
            return program.fieldNames
        }
    }

    func bound(in fields: RecordFields) -> Bound {
        Bound(
            parts: pieces.map { piece in
                switch piece {
                case .text(let text), .secret(let text): .text(text)
                case .value(let program, let text): .value(BoundProgram(program, in: fields), text: text)
                }
            })
    }

    /// A template bound to one place.
    struct Bound: Sendable {
        fileprivate enum Part: Sendable {
            case text(String)
            case value(BoundProgram, text: String)
        }

        fileprivate let parts: [Part]

        func evaluation(over batch: RecordBatch) -> Evaluation { Evaluation(self, over: batch) }
    }

    /// A template bound to one batch.
    struct Evaluation {
        private enum Part {
            case text(String)
            case value(BoundProgram, BoundProgram.Evaluation, text: String)
        }

        private let parts: [Part]
        private let batch: RecordBatch

        fileprivate init(_ bound: Bound, over batch: RecordBatch) {
            self.batch = batch
            parts = bound.parts.map { part in
                switch part {
                case .text(let text): .text(text)
                case .value(let program, let text): .value(program, program.evaluation(over: batch), text: text)
                }
            }
        }

        /// - Parameter encode: called with each value that is not at the beginning of the text.
        /// - Returns: `nil` if a value is an empty optional.
        func text(_ row: Int, encode: (String) -> String = { $0 }) throws(RecordFailure) -> String? {
            var result = ""
            for (index, part) in parts.enumerated() {
                switch part {
                case .text(let text): result += text
                case .value(let program, let evaluate, let text):
                    let cell = evaluate(row)
                    if cell.kind == .error { throw program.failure(row, of: batch) }
                    if cell.kind == .absent { return nil }
                    guard let value = PathValue.of(cell, batch.scratch) else {
                        throw RecordFailure(code: HTTPFailure.Code.request.rawValue, message: "'\(text)' is of type \(cell.kind), not text")
                    }
                    result += index == 0 ? value : encode(value)
                }
            }
            return result
        }
    }
}
