/// Owns the text that constant cells point to, and patterns, for as long as a program lives.
///
/// Safe to share: only the compiler fills it, before the program is visible to others, and it is
/// only read from then on.
final class ConstantPool: @unchecked Sendable {
    private let arena = TextArena()
    private var patterns: [Pattern] = []

    /// Owns the pattern, too.
    func keep(_ pattern: Pattern) { patterns.append(pattern) }

    func constant(_ value: Value) -> Constant {
        let cell: Cell?
        switch value {
        case .null: cell = .null
        case .bool(let value): cell = .bool(value)
        case .int(let value): cell = .int(value)
        case .uint(let value): cell = .uint(value)
        case .double(let value): cell = .double(value)
        case .decimal(let value): cell = text(.decimal, Array(value.utf8))
        case .string(let value): cell = text(.string, Array(value.utf8))
        case .bytes(let value): cell = text(.bytes, value)
        case .timestamp(let value): cell = .timestamp(seconds: value.seconds, nanoseconds: UInt32(value.nanoseconds))
        case .duration(let value):
            let (seconds, attoseconds) = value.components
            cell = .duration(seconds: seconds, nanoseconds: Int32(truncatingIfNeeded: attoseconds / 1_000_000_000))
        case .list, .map, .type, .optional, .ip, .cidr: cell = nil
        }
        return Constant(value: value, cell: cell)
    }

    func text(_ kind: Cell.Kind, _ bytes: [UInt8]) -> Cell {
        bytes.withUnsafeBufferPointer { .text(kind, arena.copy($0), count: $0.count) }
    }
}
