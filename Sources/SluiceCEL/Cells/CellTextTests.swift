import CBytes

/// A predicate on two texts.
protocol TextTest: Sendable {
    static func holds(_ text: UnsafeBufferPointer<UInt8>, _ part: UnsafeBufferPointer<UInt8>) -> Bool
}

enum StartsWith: TextTest {
    @inline(__always)
    static func holds(_ text: UnsafeBufferPointer<UInt8>, _ part: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = text.baseAddress, let partStart = part.baseAddress else { return part.isEmpty }
        return cbytes_has_prefix(start, text.count, partStart, part.count) != 0
    }
}

enum EndsWith: TextTest {
    @inline(__always)
    static func holds(_ text: UnsafeBufferPointer<UInt8>, _ part: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = text.baseAddress, let partStart = part.baseAddress else { return part.isEmpty }
        guard part.count <= text.count else { return false }
        return cbytes_equal(start + (text.count - part.count), partStart, part.count) != 0
    }
}

enum Contains: TextTest {
    @inline(__always)
    static func holds(_ text: UnsafeBufferPointer<UInt8>, _ part: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = text.baseAddress, let partStart = part.baseAddress else { return part.isEmpty }
        return cbytes_find(start, text.count, partStart, part.count) >= 0
    }
}

extension GenericCall {
    /// `startsWith`, `endsWith` and `contains`; nil for other functions.
    func textTest(_ text: Operand, _ part: Operand) -> TestCode? {
        switch name {
        case "startsWith": textTest(StartsWith.self, text, part)
        case "endsWith": textTest(EndsWith.self, text, part)
        case "contains": textTest(Contains.self, text, part)
        default: nil
        }
    }

    private func textTest<T: TextTest>(_: T.Type, _ text: Operand, _ part: Operand) -> TestCode {
        if case .field(let field) = text, case .constant(let constant) = part, let part = constant.cell, part.kind == .string {
            let slot = field.slot
            return TestCode { cells, scratch in
                let cell = cells[slot]
                if cell.kind == .string { return Truth(T.holds(cell.textBytes, part.textBytes)) }
                return Truth(self(cell, part, scratch))
            }
        }
        let (text, part) = (text.code, part.code)
        return TestCode { cells, scratch in
            let text = text(cells, scratch)
            if text.kind == .error { return .failed }
            let part = part(cells, scratch)
            if text.kind == .string, part.kind == .string { return Truth(T.holds(text.textBytes, part.textBytes)) }
            return Truth(self(text, part, scratch))
        }
    }
}

/// `matches` with a constant pattern, compiled once, here; nil if the pattern is invalid, which is
/// then an error of each evaluation.
///
/// - Parameter pool: owns the compiled pattern.
func constantMatches(_ text: Operand, _ pattern: Constant, in pool: ConstantPool, orElse slow: CellCode) -> TestCode? {
    guard case .string(let source) = pattern.value, let compiled = Pattern(ifValid: source) else { return nil }
    guard let matcher = compiled.matcher else { return test(text, orElse: slow) { compiled.matches($0) } }
    pool.keep(compiled)
    return test(text, orElse: slow) { matcher.matches($0) }
}

@inline(__always)
private func test(_ text: Operand, orElse slow: CellCode, _ matches: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Bool) -> TestCode {
    if case .field(let field) = text {
        let slot = field.slot
        return TestCode { cells, scratch in
            let cell = cells[slot]
            return cell.kind == .string ? Truth(matches(cell.textBytes)) : Truth(slow(cells, scratch))
        }
    }
    let text = text.code
    return TestCode { cells, scratch in
        let cell = text(cells, scratch)
        if cell.kind == .string { return Truth(matches(cell.textBytes)) }
        return cell.kind == .error ? .failed : Truth(slow(cells, scratch))
    }
}
