/// Splits an expression into tokens. What cannot be read becomes a diagnostic and an `invalid`
/// token, and reading continues after it.
struct Lexer {
    let text: [UInt8]
    var position = 0
    private(set) var diagnostics: [Diagnostic] = []

    init(_ text: String) {
        self.text = Array(text.utf8)
    }

    static func tokens(of text: String) -> (tokens: [Token], diagnostics: [Diagnostic]) {
        var lexer = Lexer(text)
        var tokens: [Token] = []
        while true {
            let token = lexer.next()
            tokens.append(token)
            if token.kind == .end { return (tokens, lexer.diagnostics) }
        }
    }

    func byte(_ offset: Int = 0) -> UInt8? {
        let index = position + offset
        return index < text.count ? text[index] : nil
    }

    mutating func report(_ message: String, at range: Range<Int>) {
        diagnostics.append(Diagnostic(message, at: range))
    }

    private mutating func next() -> Token {
        skipBlanksAndComments()
        let start = position
        let kind = nextKind()
        return Token(kind: kind, range: start..<position)
    }

    private mutating func nextKind() -> Token.Kind {
        guard let first = byte() else { return .end }
        if first.isDigit || (first == UInt8(ascii: ".") && byte(1)?.isDigit == true) { return number() }
        if let string = stringLiteral() { return string }
        if first.isIdentifierStart { return identifier() }
        if first == UInt8(ascii: "`") { return quotedIdentifier() }
        return symbol()
    }

    private mutating func skipBlanksAndComments() {
        while let first = byte() {
            if first.isBlank {
                position += 1
            } else if first == UInt8(ascii: "/"), byte(1) == UInt8(ascii: "/") {
                while let next = byte(), next != UInt8(ascii: "\n") { position += 1 }
            } else {
                return
            }
        }
    }

    private mutating func identifier() -> Token.Kind {
        let start = position
        while let next = byte(), next.isIdentifierStart || next.isDigit { position += 1 }
        return .identifier(String(decoding: text[start..<position], as: UTF8.self))
    }

    private mutating func quotedIdentifier() -> Token.Kind {
        let start = position
        position += 1
        while let next = byte(), next != UInt8(ascii: "`"), next != UInt8(ascii: "\n") { position += 1 }
        guard byte() == UInt8(ascii: "`"), position > start + 1 else {
            let isClosed = byte() == UInt8(ascii: "`")
            if isClosed { position += 1 }
            report(isClosed ? "a name in backticks cannot be empty" : "the name has no closing `", at: start..<position)
            return .invalid
        }
        position += 1
        return .quotedIdentifier(String(decoding: text[start + 1..<position - 1], as: UTF8.self))
    }

    private mutating func symbol() -> Token.Kind {
        for length in [2, 1] where position + length <= text.count {
            let spelling = String(decoding: text[position..<position + length], as: UTF8.self)
            if let symbol = Token.Symbol(rawValue: spelling) {
                position += length
                return .symbol(symbol)
            }
        }
        return unknownCharacter()
    }

    private mutating func unknownCharacter() -> Token.Kind {
        let start = position
        position += 1
        while let next = byte(), next & 0xC0 == 0x80 { position += 1 }
        let spelling = String(decoding: text[start..<position], as: UTF8.self)
        let meant = ["&": "&&", "|": "||", "=": "=="][spelling]
        diagnostics.append(Diagnostic("unexpected character '\(spelling)'", at: start..<position, suggestion: meant))
        return .invalid
    }
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isBlank: Bool { [0x20, 0x09, 0x0A, 0x0C, 0x0D].contains(self) }

    var isIdentifierStart: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || self == UInt8(ascii: "_")
    }

    var hexadecimalValue: UInt32? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(self - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(self - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
