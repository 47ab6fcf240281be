import SluiceCEL
import SluiceRecords

func benchJSON(_ text: TextBatches) {
    measure("jsonl, checked only", text, columns: 0, JSONLinesDecoder(columns: []))
    let three = ["status", "path", "duration_ms"]
    measure("jsonl, 3 fields", text, columns: 3, JSONLinesDecoder(columns: three))
    let all = ["ts", "method", "path", "status", "bytes", "duration_ms", "ip", "user_agent", "referer", "user_id", "trace_id"]
    measure("jsonl, 11 fields", text, columns: 11, JSONLinesDecoder(columns: all))

    let five = ["duration_ms", "ip", "method", "path", "referer"]
    let rewrite = JSONRewrite(
        members: [JSONRewrite.Member(column: 1, name: "ip", fate: .cut), JSONRewrite.Member(column: 4, name: "referer", fate: .cut)],
        additions: [JSONFields.Field(key: "duration_s", column: 5), JSONFields.Field(key: "method_again", column: 6)])
    measure("jsonl, 2 members cut and 2 added", text, columns: 7, spans: true, JSONLinesDecoder(columns: five, spans: true)) {
        (table, row, record, scratch, output) in
        let cells = table.row(row)
        cells[5] = .double(cells[0].doubleValue / 1000)
        cells[6] = cells[2]
        rewrite.write(record, table.outcomes[row], table.rowSpans(row), cells, scratch, to: output)
    }
    let select = JSONRewrite(members: three.enumerated().map { JSONRewrite.Member(column: $0, name: $1, fate: .keep) }, passesRest: false)
    measure("jsonl, 3 members selected", text, columns: 3, spans: true, JSONLinesDecoder(columns: three, spans: true)) {
        (table, row, record, scratch, output) in
        select.write(record, table.outcomes[row], table.rowSpans(row), table.row(row), scratch, to: output)
    }
}

func benchAccessLog(_ text: TextBatches) {
    measure("combined, checked only", text, columns: 0, AccessLogDecoder(.combined, columns: []))
    measure("combined, 2 fields", text, columns: 2, AccessLogDecoder(.combined, columns: ["status", "path"]))
    let nine = ["ip", "user", "time", "method", "path", "status", "bytes", "referer", "agent"]
    let fields = JSONFields(nine.enumerated().map { JSONFields.Field(key: $1, column: $0) })
    measure("combined, 9 fields to JSON", text, columns: 9, AccessLogDecoder(.combined, columns: nine)) { (table, row, _, scratch, output) in
        fields.write(table.row(row), scratch, to: output)
    }
    var checking = Checking(label: "bench")
    let options = Arguments(["format": .leaf(Leaf("combined"))])
    if let access = Access(options, &checking) {
        measure("access, checked only", text, columns: 0, access.makeDecoder(columns: [], spans: false))
        measure("access, 2 fields", text, columns: 2, access.makeDecoder(columns: ["status", "path"], spans: false))
        measure("access, 9 fields to JSON", text, columns: 9, access.makeDecoder(columns: nine, spans: false)) { (table, row, _, scratch, output) in
            fields.write(table.row(row), scratch, to: output)
        }
    }
    measure("lines", text, columns: 1, LinesDecoder(columns: ["line"]))
}
