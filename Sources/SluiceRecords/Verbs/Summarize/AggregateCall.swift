import SluiceCEL

/// An aggregate as the pipeline file has it: `sum(duration_ms / 1000.0)`.
struct AggregateCall: Sendable {
    let name: String
    /// As in the pipeline file, for messages.
    let text: String
    let aggregate: any Aggregate
    /// What it is computed of.
    let value: CellProgram?

    /// - Parameter what: for messages: the field that it is to be.
    init?(_ leaf: Leaf, _ what: String, _ checking: inout Checking) {
        guard leaf.isComplete else { return nil }
        guard let parts = Self.parts(of: leaf) else {
            checking.report(
                "\(what): '\(leaf.text)' is not an aggregate", at: leaf.place,
                fix: "write one alone, such as \(Aggregates.examples); compute with what comes out in a 'set' after it")
            return nil
        }
        let (name, argument) = parts
        guard let type = Aggregates.named(name.text) else {
            Self.reportUnknown(name, what, &checking)
            return nil
        }
        let declaration = type.declaration
        let isBlank = argument.text.allSatisfy(\.isWhitespace)
        guard isBlank != declaration.takesValue else {
            checking.report(
                "\(what): '\(name.text)' \(isBlank ? "needs an expression" : "takes nothing")", at: leaf.place,
                fix: "write '\(declaration.example)'")
            return nil
        }
        let value = isBlank ? nil : checking.program(argument, what)
        guard isBlank || value != nil, let aggregate = type.init(value, at: argument, &checking) else { return nil }
        self.name = name.text
        text = leaf.text
        self.aggregate = aggregate
        self.value = value
    }

    private static func reportUnknown(_ name: Leaf, _ what: String, _ checking: inout Checking) {
        let fix = "this version has: \(Aggregates.examples)"
        if Aggregates.later.contains(name.text) {
            checking.report("\(what): the aggregate '\(name.text)' is not supported in this version", at: name.place, fix: fix)
        } else {
            let hint = didYouMean(name.text, among: Aggregates.names + Aggregates.later)
            checking.report("\(what): no such aggregate '\(name.text)'\(hint)", at: name.place, fix: fix)
        }
    }

    /// The name and what stands between the parentheses, the second of which must be the text's
    /// end.
    private static func parts(of leaf: Leaf) -> (name: Leaf, argument: Leaf)? {
        let bytes = Array(leaf.text.utf8)
        let isName = { (byte: UInt8) in
            byte >= 0x80 || byte == UInt8(ascii: "_") || (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
        }
        guard let first = bytes.firstIndex(where: { $0 != 0x20 }) else { return nil }
        let nameEnd = bytes[first...].firstIndex { !isName($0) } ?? bytes.count
        guard nameEnd > first, let open = bytes[nameEnd...].firstIndex(where: { $0 != 0x20 }), bytes[open] == UInt8(ascii: "("),
            let close = closing(of: open, in: bytes), bytes[(close + 1)...].allSatisfy({ $0 == 0x20 || $0 == 0x0A })
        else { return nil }
        return (leaf.part(first..<nameEnd), leaf.part(open + 1..<close))
    }

    /// The parenthesis that closes the one at `open`, past text in quotes.
    private static func closing(of open: Int, in bytes: [UInt8]) -> Int? {
        var depth = 0
        var quote: UInt8?
        var index = open
        while index < bytes.count {
            let byte = bytes[index]
            switch (quote, byte) {
            case (.some, UInt8(ascii: "\\")): index += 1
            case (.some(let mark), _): if byte == mark { quote = nil }
            case (nil, UInt8(ascii: "'")), (nil, UInt8(ascii: "\"")), (nil, UInt8(ascii: "`")): quote = byte
            case (nil, UInt8(ascii: "(")): depth += 1
            case (nil, UInt8(ascii: ")")):
                depth -= 1
                if depth == 0 { return index }
            default: break
            }
            index += 1
        }
        return nil
    }
}
