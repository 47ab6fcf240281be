import SluiceCEL

/// One record being written anew, from left to right.
///
/// Unsafe memory is read here: `record` from its brace to its brace, and spans inside of it.
struct JSONRewriting {
    struct Edit: BitwiseCopyable {
        var span: MemberSpan
        var step: Int
        /// An equal member follows that takes its place.
        var isStale: Bool
    }

    private let start: UnsafePointer<UInt8>
    private let cells: UnsafePointer<Cell>
    private let scratch: Scratch
    private let buffer: ByteBuffer
    private let passesRest: Bool
    /// What has been dealt with ends here: behind a member, or where the first member begins.
    private var place: UnsafePointer<UInt8>
    /// The closing brace.
    private let close: UnsafePointer<UInt8>
    /// Whether a member has been written.
    private var hasMember = false

    init(
        _ record: UnsafeBufferPointer<UInt8>, _ cells: UnsafePointer<Cell>, _ scratch: Scratch, _ buffer: ByteBuffer, passesRest: Bool
    ) {
        let whole = JSONMembers.trimmed(record)
        guard let first = whole.baseAddress, let base = record.baseAddress else { preconditionFailure("a decoded record has a brace") }
        start = base
        close = first + whole.count - 1
        place = JSONScan.space(first + 1, close)
        self.cells = cells
        self.scratch = scratch
        self.buffer = buffer
        self.passesRest = passesRest
        buffer.reserve(record.count + 256)
        buffer.append(UInt8(ascii: "{"))
    }

    /// - Parameter edits: in the order of their spans.
    @inline(__always)
    mutating func write(_ edits: some Sequence<Edit>, of rewrite: JSONRewrite, _ spans: UnsafePointer<MemberSpan>) {
        for edit in edits { write(edit, rewrite.steps[edit.step]) }
        if passesRest, JSONScan.space(place, close) < close {
            copy(place, close)
            hasMember = true
        }
        for step in rewrite.steps {
            guard let value = step.value, cells[value].kind != .absent, !spans[step.column].isPresent else { continue }
            add(step.addedKey, cells[value])
        }
        for addition in rewrite.added where cells[addition.column].kind != .absent {
            if let unless = addition.unless, cells[unless].kind != .absent { continue }
            add(addition.key, cells[addition.column])
        }
        buffer.append(UInt8(ascii: "}"))
    }

    @inline(__always)
    private mutating func write(_ edit: Edit, _ step: JSONRewrite.Step) {
        if edit.isStale { return cut(edit.span) }
        switch step.fate {
        case .cut: cut(edit.span)
        case .yield(let column) where cells[column].kind != .absent: cut(edit.span)
        case .yield, .keep: keep(edit.span)
        case .rename: put(edit.span, step.newKey, nil)
        case .replace(_, let column):
            let cell = cells[column]
            put(edit.span, step.newKey, cell.kind == .absent ? nil : cell)
        }
    }

    private mutating func keep(_ span: MemberSpan) {
        if !passesRest { put(span, nil, nil) }
    }

    /// Writes the member with another key or another value, or with its own where there is none.
    private mutating func put(_ span: MemberSpan, _ key: JSONKey?, _ value: Cell?) {
        let member = start + Int(span.start)
        if passesRest {
            copy(place, member)
        } else if hasMember {
            buffer.append(UInt8(ascii: ","))
        }
        hasMember = true
        if let key {
            key.write(to: buffer)
        } else {
            copy(member, start + Int(span.value))
        }
        if let value {
            JSONText.write(value, scratch, to: buffer)
        } else {
            copy(start + Int(span.value), start + Int(span.end))
        }
        place = start + Int(span.end)
    }

    /// Leaves a member out, and one of the commas beside it: the one before, or behind where nothing has been written yet.
    private mutating func cut(_ span: MemberSpan) {
        guard passesRest else { return }
        var before = start + Int(span.start)
        while before > place, before[-1] <= 0x20 { before -= 1 }
        if before > place, before[-1] == UInt8(ascii: ",") { before -= 1 }
        if before > place {
            copy(place, before)
            hasMember = true
        }
        place = start + Int(span.end)
        guard !hasMember else { return }
        let comma = JSONScan.space(place, close)
        if comma < close { place = JSONScan.space(comma + 1, close) }
    }

    private mutating func add(_ key: JSONKey, _ cell: Cell) {
        if hasMember { buffer.append(UInt8(ascii: ",")) }
        hasMember = true
        key.write(to: buffer)
        JSONText.write(cell, scratch, to: buffer)
    }

    @inline(__always)
    private func copy(_ from: UnsafePointer<UInt8>, _ to: UnsafePointer<UInt8>) {
        buffer.append(UnsafeBufferPointer(start: from, count: to - from))
    }
}
