import SluiceCEL

/// `jsonl`: one JSON object per line.
package struct JSONL: WritableFormat {
    package static let declaration = Declaration(
        "jsonl", aliases: ["ndjson"], "one JSON object per line", argument: .keys([]), example: "format: jsonl",
        elsewhere: ["json_lines", "jsonlines", "jsonseq", "json_seq", "newline_delimited_json"])
    package static let fileExtensions = ["jsonl", "ndjson"]

    /// Whether a record may be several lines. Written, it is one.
    private var hasLines = false

    package init() {}
    package init?(_ options: Arguments?, _ checking: inout Checking) {}

    package var schema: Schema { .open }

    package func makeDecoder(columns: [String], spans: Bool) -> any RecordDecoder {
        hasLines ? RewritingDecoder(JSONLineRewriter(), columns: columns, spans: spans) : JSONLinesDecoder(columns: columns, spans: spans)
    }

    package var joiningLines: any Format {
        var joining = self
        joining.hasLines = true
        return joining
    }

    package func makeWriter(for fields: RecordFields, columns: [String]?) -> any RecordWriter {
        JSONLinesWriter(fields: fields)
    }
}

struct JSONLinesWriter: RecordWriter {
    let fields: RecordFields
    let copiesRecords: Bool

    init(fields: RecordFields) {
        self.fields = fields
        copiesRecords = fields.shape.base == .json && fields.shape.isUntouched
    }

    func write(_ row: Int, of batch: RecordBatch, to buffer: ByteBuffer) {
        fields.write(row, of: batch, to: buffer)
        buffer.append(UInt8(ascii: "\n"))
    }
}

extension RecordFormat {
    /// One JSON object per line.
    public static let jsonl = RecordFormat(JSONL.self)
}
