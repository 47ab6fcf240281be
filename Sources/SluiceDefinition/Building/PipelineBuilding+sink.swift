internal import SluiceCEL
internal import SluiceRecords

extension PipelineBuilding {
    mutating func buildSink(_ sink: SinkDefinition, schema: Schema, inputs: [InputFile]) -> RecordSink? {
        var name: FileName?
        var destination = RecordSink.Destination.stdout
        if case .file(let path) = sink.destination {
            guard let template = pathTemplate(path, schema: schema, inputs: inputs) else { return nil }
            destination = .file(template)
            name = FileName(path.text)
        }
        guard let encoding = encoding(of: sink, named: name) else { return nil }
        var built = RecordSink(destination: destination, encoding: encoding, compression: name?.isGzip == true ? .standard : nil)
        if let order = sink.order { built.order = order }
        if let level = sink.level { built.compression = compression(level, isGzip: name?.isGzip == true) }
        return built
    }

    private mutating func encoding(of sink: SinkDefinition, named name: FileName?) -> RecordSink.Encoding? {
        switch sink.format ?? name?.format ?? .jsonl {
        case .jsonl: return .jsonl
        case .lines: return .lines
        case let format:
            guard case .file(let path) = sink.destination else { return nil }
            report(
                "sink: the format '\(format.rawValue)' is not supported in this version", at: path.place,
                fix: "name the file .jsonl or .log; this version writes: \(FormatName.written)")
            return nil
        }
    }

    private mutating func compression(_ level: Leaf, isGzip: Bool) -> CompressionLevel? {
        guard isGzip else {
            report("sink: 'level' is for compressed files", at: level.place, fix: "end the file's name in .gz, or take the level away")
            return nil
        }
        guard let compression = CompressionLevel(level.text) else {
            report("sink: 'level' cannot be '\(level.text)'", at: level.place, fix: "write fast, default, best, or 0 to 9")
            return nil
        }
        return compression
    }

    /// A path with expressions in it. What they come to cannot leave the folder before the first of them, so there must be one.
    private mutating func pathTemplate(_ path: Leaf, schema: Schema, inputs: [InputFile]) -> PathTemplate? {
        let count = diagnostics.count
        guard path.isComplete, let pieces = pathPieces(path) else { return nil }
        let fixed = PathText(pieces)
        if let reason = fixed.refusal {
            report("sink: \(reason.message)", at: path.place, fix: reason.fix)
        } else if let reason = OutputPlace(fixed.beginning, isWhole: fixed.isWhole).refusal {
            report("sink: \(reason)", at: path.place, fix: "name a file in a folder that you may write to")
        } else if fixed.isWhole, inputs.contains(where: { $0.path == path.text }) {
            report("sink: '\(path.text)' is also an input", at: path.place, fix: "write to another file")
        }
        let built: [PathTemplate.Piece] = pieces.compactMap { piece in
            switch piece {
            case .text(let leaf): return .text(leaf.text)
            case .expression(let leaf):
                guard let program = program(leaf, "sink: path", in: schema) else { return nil }
                guard program.type.isPathText else {
                    report("sink: path: '\(leaf.text)' is of type \(program.type)", at: leaf.place, fix: "a path is made of text, numbers and times")
                    return nil
                }
                return .value(program)
            }
        }
        return diagnostics.count == count ? PathTemplate(pieces: built) : nil
    }

    /// Cuts a path at its `{…}`; braces and quotes inside an expression are its own.
    private mutating func pathPieces(_ path: Leaf) -> [PathPiece]? {
        var pieces: [PathPiece] = []
        var textStart = 0
        var scan = BraceScan(path.text)
        while let open = scan.nextOpening() {
            guard let close = scan.closing() else {
                report("sink: '{' is not closed", at: path.place(of: open..<open + 1), fix: "write {expression}; a brace itself is {'{'}")
                return nil
            }
            if open > textStart { pieces.append(.text(path.part(textStart..<open))) }
            let expression = path.part(open + 1..<close)
            guard expression.text.contains(where: { !$0.isWhitespace }) else {
                report("sink: no expression between '{' and '}'", at: path.place(of: open..<close + 1))
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

enum PathPiece {
    case text(Leaf)
    case expression(Leaf)
}

extension CELType {
    fileprivate var isPathText: Bool {
        switch self {
        case .dyn, .string, .int, .uint, .double, .bool, .timestamp: true
        default: false
        }
    }
}
