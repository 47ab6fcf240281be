/// A syntax error in JSON text, and what was expected.
///
/// The address is that of a byte of the record, or past the end if the record ends too early. It is
/// never dereferenced.
struct JSONFault: Error {
    enum Expectation: UInt8 {
        case object, keyOrClose, key, colon, value, commaOrBrace, commaOrBracket, digit, literal, quote, escape, hexDigit, end
        case control, utf8, depth
    }

    var address: UInt
    var expectation: Expectation

    @inline(__always)
    init(_ expectation: Expectation, at position: UnsafePointer<UInt8>) {
        address = UInt(bitPattern: position)
        self.expectation = expectation
    }
}

extension JSONFault {
    /// `expected ',' or '}' at byte 17, found 'x'`; bytes are counted from 0.
    func message(in text: UnsafeBufferPointer<UInt8>) -> String {
        let start = UInt(bitPattern: text.baseAddress)
        let offset = Int(clamping: address &- start)
        guard offset < text.count else {
            return "\(Self.endExpectation(expectation)) at byte \(text.count), where the record ends"
        }
        switch expectation {
        case .control: return "a control character in a string \(Self.place(offset, in: text))"
        case .utf8: return "invalid UTF-8 \(Self.place(offset, in: text))"
        case .depth: return "nesting deeper than \(JSONScan.depthLimit) levels at byte \(offset)"
        default: return "expected \(expectation.words) \(Self.place(offset, in: text))"
        }
    }

    private static func endExpectation(_ expectation: Expectation) -> String {
        switch expectation {
        case .control, .utf8, .depth: "expected the end of a string"
        default: "expected \(expectation.words)"
        }
    }

    private static func place(_ offset: Int, in text: UnsafeBufferPointer<UInt8>) -> String {
        "at byte \(offset), found \(name(ofByte: text[offset]))"
    }

    static func name(ofByte byte: UInt8) -> String {
        guard byte > 0x20, byte < 0x7F else {
            let digits = String(byte, radix: 16, uppercase: true)
            return byte == 0x20 ? "a space" : "byte 0x\(digits.count < 2 ? "0" : "")\(digits)"
        }
        return "'\(Character(UnicodeScalar(byte)))'"
    }
}

extension JSONFault.Expectation {
    var words: String {
        switch self {
        case .object: "'{'"
        case .keyOrClose: "'\"' or '}'"
        case .key: "'\"'"
        case .colon: "':'"
        case .value: "a value"
        case .commaOrBrace: "',' or '}'"
        case .commaOrBracket: "',' or ']'"
        case .digit: "a digit"
        case .literal: "true, false or null"
        case .quote: "the end of a string"
        case .escape: "one of \"\\/bfnrtu after a backslash"
        case .hexDigit: "a hexadecimal digit"
        case .end: "the end of the record"
        case .control, .utf8, .depth: "something else"
        }
    }
}
