import SluiceCEL

/// Rewrites one record, from left to right. Holds no references, each of which would be counted for
/// each record.
///
/// Unsafe memory: reads `record` from brace to brace, and spans within it.
struct JSONRewriting {
    struct Edit: BitwiseCopyable {
        var span: MemberSpan
        var step: JSONRewrite.Step
        /// Whether a later duplicate overrides it.
        var isStale: Bool
    }

    private let start: UnsafePointer<UInt8>
    private let cells: UnsafePointer<Cell>
    private let keys: JSONKeys.Text
    private let passesRest: Bool
    /// The end of what has been handled: after a member, or at the first one.
    private var place: UnsafePointer<UInt8>
    /// The closing brace.
    private let close: UnsafePointer<UInt8>
    /// Whether a member has been written.
    private var hasMember = false

    init(
        _ record: UnsafeBufferPointer<UInt8>, _ cells: UnsafePointer<Cell>, _ keys: JSONKeys.Text, passesRest: Bool
    ) {
        let whole = JSONMembers.trimmed(record)
        guard let first = whole.baseAddress, let base = record.baseAddress else { preconditionFailure("a decoded record has a brace") }
        start = base
        close = first + whole.count - 1
        place = JSONScan.space(first + 1, close)
        self.cells = cells
        self.keys = keys
        self.passesRest = passesRest
    }

    /// - Parameter edits: ordered by their spans.
    @inline(__always)
    mutating func write(
        _ edits: UnsafeBufferPointer<Edit>, of rewrite: JSONRewrite, _ spans: UnsafePointer<MemberSpan>, _ scratch: Scratch,
        to buffer: ByteBuffer
    ) {
        buffer.append(UInt8(ascii: "{"))
        for edit in edits { write(edit, scratch, to: buffer) }
        if passesRest, JSONScan.space(place, close) < close {
            copy(place, close, to: buffer)
            hasMember = true
        }
        for step in rewrite.steps where step.action == .replace && !spans[step.column].isPresent && cells[step.other].kind != .absent {
            keys.write(step.key, comma: hasMember, to: buffer)
            hasMember = true
            JSONText.write(cells[step.other], scratch, to: buffer)
        }
        rewrite.additions.writeMembers(cells, scratch, hasMember: hasMember, to: buffer)
        buffer.append(UInt8(ascii: "}"))
    }

    @inline(__always)
    private mutating func write(_ edit: Edit, _ scratch: Scratch, to buffer: ByteBuffer) {
        let step = edit.step
        switch step.action {
        case _ where edit.isStale: cut(edit.span, to: buffer)
        case .cut: cut(edit.span, to: buffer)
        case .yield where cells[step.other].kind != .absent: cut(edit.span, to: buffer)
        case .yield, .keep: if !passesRest { put(edit, .absent, scratch, to: buffer) }
        case .rename: put(edit, .absent, scratch, to: buffer)
        case .replace: put(edit, cells[step.other], scratch, to: buffer)
        }
    }

    /// Writes the member with its own key or the new one, and with its own value if `value` is
    /// absent.
    private mutating func put(_ edit: Edit, _ value: Cell, _ scratch: Scratch, to buffer: ByteBuffer) {
        let member = start + Int(edit.span.start)
        let ownValue = start + Int(edit.span.value)
        if passesRest {
            copy(place, member, to: buffer)
        } else if hasMember {
            buffer.append(UInt8(ascii: ","))
        }
        hasMember = true
        if edit.step.hasNewKey {
            keys.write(edit.step.key, comma: false, to: buffer)
        } else {
            copy(member, ownValue, to: buffer)
        }
        place = start + Int(edit.span.end)
        if value.kind == .absent {
            copy(ownValue, place, to: buffer)
        } else {
            JSONText.write(value, scratch, to: buffer)
        }
    }

    /// Removes a member and one adjacent comma: the one before, or the one after if nothing has
    /// been written yet.
    private mutating func cut(_ span: MemberSpan, to buffer: ByteBuffer) {
        guard passesRest else { return }
        var before = start + Int(span.start)
        while before > place, before[-1] <= 0x20 { before -= 1 }
        if before > place, before[-1] == UInt8(ascii: ",") { before -= 1 }
        if before > place {
            copy(place, before, to: buffer)
            hasMember = true
        }
        place = start + Int(span.end)
        guard !hasMember else { return }
        let comma = JSONScan.space(place, close)
        if comma < close { place = JSONScan.space(comma + 1, close) }
    }

    @inline(__always)
    private func copy(_ from: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, to buffer: ByteBuffer) {
        buffer.append(UnsafeBufferPointer(start: from, count: end - from))
    }
}
