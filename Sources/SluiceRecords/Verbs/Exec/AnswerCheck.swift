// Unsafe memory: the answer is copied to a ByteBuffer, whose padding the scan may read, and which
// lives until the end of the function.

/// Validates the answers of children.
enum AnswerCheck {
    /// Why `line` is not a JSON object; `nil` if it is one.
    static func fault(in line: [UInt8]) -> String? {
        let buffer = ByteBuffer(capacity: line.count)
        line.withUnsafeBufferPointer { buffer.append($0) }
        let text = buffer.filled
        guard let start = text.baseAddress else { return "it is empty" }
        let end = start + text.count
        do throws(JSONFault) {
            let open = JSONScan.space(start, end)
            guard open < end, open.pointee == UInt8(ascii: "{") else { throw JSONFault(.object, at: open) }
            let close = try JSONScan.nested(open, end, level: 0)
            guard close <= end else { throw JSONFault(.commaOrBrace, at: end) }
            let rest = JSONScan.space(close, end)
            guard rest == end else { throw JSONFault(.end, at: rest) }
            return nil
        } catch {
            return error.message(in: text)
        }
    }
}
