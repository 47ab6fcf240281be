extension Lexer {
    mutating func number() -> Token.Kind {
        let start = position
        if byte() == UInt8(ascii: "0"), byte(1) == UInt8(ascii: "x"), byte(2)?.hexadecimalValue != nil {
            position += 2
            while byte()?.hexadecimalValue != nil { position += 1 }
            return integer(String(decoding: text[start + 2..<position], as: UTF8.self), radix: 16, from: start)
        }
        skipDigits()
        var isDouble = false
        if byte() == UInt8(ascii: "."), byte(1)?.isDigit == true {
            isDouble = true
            position += 1
            skipDigits()
        }
        if byte() == UInt8(ascii: "e") || byte() == UInt8(ascii: "E") {
            let signWidth = byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-") ? 1 : 0
            if byte(1 + signWidth)?.isDigit == true {
                isDouble = true
                position += 1 + signWidth
                skipDigits()
            }
        }
        let spelling = String(decoding: text[start..<position], as: UTF8.self)
        guard isDouble else { return integer(spelling, radix: 10, from: start) }
        guard let value = Double(spelling), value.isFinite else {
            report("'\(spelling)' is out of range for a double", at: start..<position)
            return .invalid
        }
        return .double(value)
    }

    private mutating func skipDigits() {
        while byte()?.isDigit == true { position += 1 }
    }

    private mutating func integer(_ digits: String, radix: Int, from start: Int) -> Token.Kind {
        let isUnsigned = byte() == UInt8(ascii: "u") || byte() == UInt8(ascii: "U")
        if isUnsigned { position += 1 }
        guard let value = UInt64(digits, radix: radix) else {
            report("the number does not fit in 64 bits", at: start..<position)
            return .invalid
        }
        return isUnsigned ? .uint(value) : .int(value)
    }

    /// Nil, without reading anything, if no string begins here.
    mutating func stringLiteral() -> Token.Kind? {
        var prefix = 0
        let isBytes = byte(prefix) == UInt8(ascii: "b") || byte(prefix) == UInt8(ascii: "B")
        if isBytes { prefix += 1 }
        let isRaw = byte(prefix) == UInt8(ascii: "r") || byte(prefix) == UInt8(ascii: "R")
        if isRaw { prefix += 1 }
        guard let quote = byte(prefix), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
        let start = position
        let isTriple = byte(prefix + 1) == quote && byte(prefix + 2) == quote
        position += prefix + (isTriple ? 3 : 1)
        guard let contents = stringContents(quote: quote, isTriple: isTriple, isRaw: isRaw, isBytes: isBytes, from: start) else {
            return .invalid
        }
        return isBytes ? .bytes(contents) : .string(String(decoding: contents, as: UTF8.self))
    }

    private mutating func stringContents(
        quote: UInt8, isTriple: Bool, isRaw: Bool, isBytes: Bool, from start: Int
    ) -> [UInt8]? {
        var contents: [UInt8] = []
        var isValid = true
        while let next = byte() {
            if next == quote, !isTriple || (byte(1) == quote && byte(2) == quote) {
                position += isTriple ? 3 : 1
                return isValid ? contents : nil
            }
            if !isTriple, next == UInt8(ascii: "\n") || next == UInt8(ascii: "\r") { break }
            if next == UInt8(ascii: "\\"), !isRaw {
                isValid = escape(into: &contents, isBytes: isBytes) && isValid
            } else {
                contents.append(next)
                position += 1
            }
        }
        report("the string has no closing quote", at: start..<position)
        return nil
    }

    private mutating func escape(into contents: inout [UInt8], isBytes: Bool) -> Bool {
        let start = position
        position += 1
        guard let code = byte() else { return false }
        position += 1
        if let simple = Lexer.simpleEscapes[code] {
            contents.append(simple)
            return true
        }
        switch code {
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            return numericEscape(digits: 2, radix: 16, from: start, into: &contents, isByte: isBytes)
        case UInt8(ascii: "u") where !isBytes:
            return numericEscape(digits: 4, radix: 16, from: start, into: &contents, isByte: false)
        case UInt8(ascii: "U") where !isBytes:
            return numericEscape(digits: 8, radix: 16, from: start, into: &contents, isByte: false)
        case UInt8(ascii: "0")...UInt8(ascii: "3"):
            position -= 1
            return numericEscape(digits: 3, radix: 8, from: start, into: &contents, isByte: isBytes)
        default:
            while let next = byte(), next & 0xC0 == 0x80 { position += 1 }
            let spelling = String(decoding: text[start..<position], as: UTF8.self)
            report("'\(spelling)' is not an escape sequence\(isBytes ? " of bytes" : "")", at: start..<position)
            return false
        }
    }

    private mutating func numericEscape(
        digits: UInt32, radix: UInt32, from start: Int, into contents: inout [UInt8], isByte: Bool
    ) -> Bool {
        var number: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = byte()?.hexadecimalValue, digit < radix else {
                report("the escape sequence needs \(digits) \(radix == 8 ? "octal" : "hexadecimal") digits", at: start..<position)
                return false
            }
            number = number &* radix &+ digit
            position += 1
        }
        if isByte {
            contents.append(UInt8(truncatingIfNeeded: number))
            return true
        }
        guard let scalar = Unicode.Scalar(number) else {
            report("the escape sequence is not a Unicode code point", at: start..<position)
            return false
        }
        contents.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        return true
    }

    private static let simpleEscapes: [UInt8: UInt8] = [
        UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A,
        UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09, UInt8(ascii: "v"): 0x0B, UInt8(ascii: "\\"): UInt8(ascii: "\\"),
        UInt8(ascii: "?"): UInt8(ascii: "?"), UInt8(ascii: "\""): UInt8(ascii: "\""),
        UInt8(ascii: "'"): UInt8(ascii: "'"), UInt8(ascii: "`"): UInt8(ascii: "`"),
    ]
}
