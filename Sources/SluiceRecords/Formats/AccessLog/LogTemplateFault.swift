/// What was expected at a byte of a line, according to the server's format.
struct LogTemplateFault: Error {
    enum Expectation: UInt8 {
        case opening
        /// The literal after a variable.
        case literal
        /// A number or a time.
        case value
        case end, utf8, nul
    }

    private let address: UInt
    private let expectation: Expectation
    /// The index of the variable.
    private let step: Int

    init(_ expectation: Expectation, _ step: Int, at place: UnsafePointer<UInt8>) {
        address = UInt(bitPattern: place)
        (self.expectation, self.step) = (expectation, step)
    }

    /// `expected ' [' after $remote_user at byte 17, found 'x'`; bytes are counted from 0.
    func message(in text: UnsafeBufferPointer<UInt8>, names: [String], literals: [[UInt8]], opening: [UInt8]) -> String {
        let offset = Int(clamping: address &- UInt(bitPattern: text.baseAddress))
        let found = offset < text.count ? "at byte \(offset), found \(JSONFault.name(ofByte: text[offset]))" : "at byte \(text.count), where the record ends"
        switch expectation {
        case .utf8: return "invalid UTF-8 \(found)"
        case .nul: return "a NUL at byte \(offset)"
        case .end: return "expected the end of the record \(found)"
        case .opening: return "expected \(Self.quoted(opening)) \(found)"
        case .value: return "expected a value of \(names[step]) \(found)"
        case .literal where literals[step].isEmpty: return "expected the end of the record after \(names[step]) \(found)"
        case .literal: return "expected \(Self.quoted(literals[step])) after \(names[step]) \(found)"
        }
    }

    private static func quoted(_ bytes: [UInt8]) -> String {
        "'\(String(decoding: bytes, as: UTF8.self).replacing("\t", with: "\\t").replacing("\n", with: "\\n"))'"
    }
}
