package import SluiceCEL

/// A path with expressions: `out/date={string(time).substring(0, 10)}/errors.jsonl.gz`.
package struct PathTemplate: Sendable {
    package enum Piece: Sendable {
        case text(String)
        /// An expression. Its value, as text, cannot leave the folder.
        case value(CellProgram)
    }

    package var pieces: [Piece]

    package init(pieces: [Piece]) {
        self.pieces = pieces
    }

    package init(_ path: String) {
        self.init(pieces: [.text(path)])
    }

    /// The path, if it has no expressions.
    package var constant: String? {
        var path = ""
        for piece in pieces {
            guard case .text(let text) = piece else { return nil }
            path += text
        }
        return path
    }

    /// The folder that no value can leave; `nil` if the path has no expressions.
    var confinement: String? {
        guard constant == nil, case .text(let beginning)? = pieces.first else { return nil }
        return OutputFolders.folder(of: beginning)
    }

    /// The template with a suffix before the extensions of the name, as far as these are fixed
    /// text.
    func adding(suffix: String) -> PathTemplate {
        guard case .text(let end)? = pieces.last else { return PathTemplate(pieces: pieces + [.text("." + suffix)]) }
        if pieces.count == 1 || end.utf8.contains(UInt8(ascii: "/")) {
            return PathTemplate(pieces: pieces.dropLast() + [.text(FileName.adding(suffix, to: end))])
        }
        // The stem of the name is, or ends with, a value: "x" stands for it.
        return PathTemplate(pieces: pieces.dropLast() + [.text(String(FileName.adding(suffix, to: "x" + end).dropFirst()))])
    }

    package var mentions: [String] {
        pieces.flatMap { piece -> [String] in
            guard case .value(let program) = piece else { return [] }
            return program.fieldNames
        }
    }
}

extension PathTemplate {
    /// Splits a path at its `{…}` and compiles the expressions. Their values cannot leave the
    /// folder before the first expression, so there must be one.
    init?(_ path: Leaf, _ checking: inout Checking) {
        let count = checking.diagnostics.count
        guard path.isComplete, let pieces = PathPiece.pieces(of: path, &checking) else { return nil }
        let outline = PathOutline(pieces)
        if let reason = outline.refusal {
            checking.report(reason.message, at: path.place, fix: reason.fix)
        } else if let reason = OutputPlace(outline.beginning, isWhole: outline.isWhole).refusal {
            checking.report(reason, at: path.place, fix: "name a file in a folder that you can write to")
        }
        let built: [Piece] = pieces.compactMap { piece in
            switch piece {
            case .text(let leaf): return .text(leaf.text)
            case .expression(let leaf):
                guard let program = checking.program(leaf, "path") else { return nil }
                guard program.type.isPathText else {
                    checking.report(
                        "path: '\(leaf.text)' is of type \(program.type)", at: leaf.place, fix: "a path can contain text, numbers and times")
                    return nil
                }
                return .value(program)
            }
        }
        guard checking.diagnostics.count == count else { return nil }
        self.init(pieces: built)
    }

}

/// A part of a path, or of another text with expressions, as written.
enum PathPiece {
    case text(Leaf)
    case expression(Leaf)

    /// Splits a text. Braces and quotes within an expression belong to the expression.
    static func pieces(of path: Leaf, _ checking: inout Checking) -> [PathPiece]? {
        var pieces: [PathPiece] = []
        var textStart = 0
        var scan = BraceScan(path.text)
        while let open = scan.nextOpening() {
            guard let close = scan.closing() else {
                checking.report("'{' is not closed", at: path.place(of: open..<open + 1), fix: "write {expression}, or {'{'} for a literal brace")
                return nil
            }
            if open > textStart { pieces.append(.text(path.part(textStart..<open))) }
            let expression = path.part(open + 1..<close)
            guard expression.text.contains(where: { !$0.isWhitespace }) else {
                checking.report("no expression between '{' and '}'", at: path.place(of: open..<close + 1))
                return nil
            }
            pieces.append(.expression(expression))
            textStart = close + 1
        }
        let end = path.text.utf8.count
        if textStart < end { pieces.append(.text(path.part(textStart..<end))) }
        return pieces
    }
}

extension CELType {
    /// Whether values can be part of a path or another text.
    var isPathText: Bool {
        switch self {
        case .dyn, .string, .int, .uint, .double, .bool, .timestamp: true
        default: false
        }
    }
}
