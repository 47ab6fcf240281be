import SluiceCEL

/// An aggregate in a pipeline file: `sum(duration_ms / 1000.0)`.
struct AggregateCall: Sendable {
    let name: String
    /// As in the pipeline file, for messages.
    let text: String
    let aggregate: any Aggregate
    /// The expression that it is computed from.
    let value: CellProgram?

    /// - Parameter what: the field that it defines, for messages.
    init?(_ leaf: Leaf, _ what: String, _ checking: inout Checking) {
        guard leaf.isComplete else { return nil }
        guard let parts = Self.parts(of: leaf) else {
            checking.report(
                "\(what): '\(leaf.text)' is not an aggregate", at: leaf.place,
                fix: "write a single one, such as \(Aggregates.examples); use a 'set' after it to compute with the result")
            return nil
        }
        let (name, inside) = parts
        guard let declaration = Aggregates.named(name.text) else {
            let hint = didYouMean(name.text, among: Aggregates.names)
            checking.report("\(what): no such aggregate '\(name.text)'\(hint)", at: name.place, fix: "there are: \(Aggregates.names.joined(separator: ", "))")
            return nil
        }
        let arguments = Self.arguments(in: inside)
        guard Self.fault(declaration.takes, arguments.count) == nil else {
            checking.report(
                "\(what): '\(name.text)' \(Self.fault(declaration.takes, arguments.count) ?? "")", at: leaf.place,
                fix: "write '\(declaration.example)'")
            return nil
        }
        var call = AggregateArguments(name: name.text, place: arguments.first ?? inside)
        if let first = arguments.first {
            call.value = checking.program(first, what)
            guard call.value != nil else { return nil }
        }
        if arguments.count == 2 {
            guard let number = Self.number(arguments[1], what, declaration, &checking) else { return nil }
            call.number = number
            call.numberPlace = arguments[1]
        }
        guard let aggregate = declaration.make(call, &checking) else { return nil }
        self.name = name.text
        text = leaf.text
        self.aggregate = aggregate
        value = call.value
    }

    /// Two calls with the same name share their states.
    var stateName: String { aggregate.stateName + "(" + (value?.text ?? "") + ")" }

    private static func fault(_ takes: AggregateDeclaration.Takes, _ count: Int) -> String? {
        switch (takes, count) {
        case (.nothing, 0), (.value, 1), (.valueAndNumber, 2): nil
        case (.nothing, _): "takes no arguments"
        case (.value, 0): "needs an expression"
        case (.value, _): "takes one expression"
        case (.valueAndNumber, _): "needs an expression and a number"
        }
    }

    private static func number(_ leaf: Leaf, _ what: String, _ declaration: AggregateDeclaration, _ checking: inout Checking) -> Double? {
        guard let program = checking.program(leaf, what) else { return nil }
        switch program.constant {
        case .int(let number)?: return Double(number)
        case .uint(let number)?: return Double(number)
        case .double(let number)?: return number
        default:
            checking.report("\(what): '\(leaf.text)' is not a constant number", at: leaf.place, fix: "write '\(declaration.example)'")
            return nil
        }
    }

    /// The parts between commas outside of brackets and quotes; empty if there is only white space.
    private static func arguments(in leaf: Leaf) -> [Leaf] {
        if leaf.text.allSatisfy(\.isWhitespace) { return [] }
        let bytes = Array(leaf.text.utf8)
        var parts: [Leaf] = []
        var depth = 0
        var quote: UInt8?
        var start = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch (quote, byte) {
            case (.some, UInt8(ascii: "\\")): index += 1
            case (.some(let mark), _): if byte == mark { quote = nil }
            case (nil, UInt8(ascii: "'")), (nil, UInt8(ascii: "\"")), (nil, UInt8(ascii: "`")): quote = byte
            case (nil, UInt8(ascii: "(")), (nil, UInt8(ascii: "[")), (nil, UInt8(ascii: "{")): depth += 1
            case (nil, UInt8(ascii: ")")), (nil, UInt8(ascii: "]")), (nil, UInt8(ascii: "}")): depth -= 1
            case (nil, UInt8(ascii: ",")) where depth == 0:
                parts.append(trimmed(leaf, start..<index))
                start = index + 1
            default: break
            }
            index += 1
        }
        return parts + [trimmed(leaf, start..<bytes.count)]
    }

    private static func trimmed(_ leaf: Leaf, _ range: Range<Int>) -> Leaf {
        let bytes = Array(leaf.text.utf8)
        let start = range.first { bytes[$0] != 0x20 } ?? range.upperBound
        let end = range.last { bytes[$0] != 0x20 }.map { $0 + 1 } ?? start
        return leaf.part(start..<end)
    }

    /// The name, and the text between the parentheses, the second of which must end the text.
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

    /// The parenthesis that closes the one at `open`; skips quoted text.
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
