/// `&&` and `||` of any number of conditions. An operand that decides the result discards the
/// errors of the others; of several errors the first is reported.
enum CellLogic {
    static func all(_ tests: [TestCode]) -> TestCode { paired(tests[...], both) }

    static func any(_ tests: [TestCode]) -> TestCode { paired(tests[...], either) }

    /// A balanced tree of pairs: code in an array would have its references counted on each call,
    /// and a chain would be as deep as it is long.
    private static func paired(_ tests: ArraySlice<TestCode>, _ pair: (TestCode, TestCode) -> TestCode) -> TestCode {
        guard tests.count > 1 else { return tests[tests.startIndex] }
        let middle = tests.startIndex + tests.count / 2
        return pair(paired(tests[..<middle], pair), paired(tests[middle...], pair))
    }

    private static func both(_ first: TestCode, _ second: TestCode) -> TestCode {
        TestCode { cells, scratch in
            switch first(cells, scratch) {
            case .no: .no
            case .yes: second(cells, scratch)
            case .failed: afterError(second, decisive: .no, cells, scratch)
            }
        }
    }

    private static func either(_ first: TestCode, _ second: TestCode) -> TestCode {
        TestCode { cells, scratch in
            switch first(cells, scratch) {
            case .yes: .yes
            case .no: second(cells, scratch)
            case .failed: afterError(second, decisive: .yes, cells, scratch)
            }
        }
    }

    /// Only an operand that decides the result can still discard the error. Exceeding the cost
    /// limit ends everything.
    @inline(never)
    private static func afterError(_ test: TestCode, decisive: Truth, _ cells: Cells, _ scratch: Scratch) -> Truth {
        let first = scratch.error
        if first?.code == .costLimit { return .failed }
        let truth = test(cells, scratch)
        if truth == decisive { return decisive }
        if truth == .failed, scratch.error?.code == .costLimit { return .failed }
        scratch.error = first
        return .failed
    }

    static func not(_ test: TestCode) -> TestCode {
        TestCode { cells, scratch in
            switch test(cells, scratch) {
            case .no: .yes
            case .yes: .no
            case .failed: .failed
            }
        }
    }

    static func conditional(_ condition: TestCode, _ then: CellCode, _ otherwise: CellCode) -> CellCode {
        CellCode { cells, scratch in
            switch condition(cells, scratch) {
            case .yes: then(cells, scratch)
            case .no: otherwise(cells, scratch)
            case .failed: .error
            }
        }
    }
}
