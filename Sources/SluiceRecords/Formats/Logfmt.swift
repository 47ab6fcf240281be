import SluiceCEL

/// `logfmt`: keys and values as `key=value`, between blanks.
package struct Logfmt: WritableFormat {
    package static let declaration = Declaration(
        "logfmt", "`key=value` pairs, separated by blanks", argument: .keys([]), example: "format: logfmt")
    package static let fileExtensions = [Logfmt.name]

    package init() {}
    package init?(_ options: Arguments?, _ checking: inout Checking) {}

    package var schema: Schema { .open }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        RewritingDecoder(LogfmtRewriter(), columns: columns, spans: spans)
    }

    package func checkWriting(_ checking: inout Checking, at place: TextPlace, areOwn: Bool) {
        for name in checking.fields.names {
            guard let reason = name.withBytes(LogfmtText.refusal) else { continue }
            checking.report("\(self.name) cannot hold the field '\(name)': \(reason)", at: place, fix: "rename it, or remove it")
        }
    }

    package func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter {
        LogfmtWriter(fields: fields)
    }
}

extension String {
    fileprivate func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        var text = self
        return text.withUTF8(body)
    }
}

extension RecordFormat {
    /// `key=value` pairs between blanks.
    public static let logfmt = RecordFormat(Logfmt.self)
}
