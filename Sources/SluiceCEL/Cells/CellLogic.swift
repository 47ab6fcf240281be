/// `&&` and `||` of any number of conditions. An operand that decides makes the errors of the others vanish; of several errors the
/// first is told.
enum CellLogic {
    static func all(_ tests: [TestCode]) -> TestCode {
        if tests.count == 2 {
            let (first, second) = (tests[0], tests[1])
            return TestCode { cells, scratch in
                switch first(cells, scratch) {
                case .no: return .no
                case .yes: return second(cells, scratch)
                case .failed: return rest([second], decisive: .no, cells, scratch)
                }
            }
        }
        return several(tests, decisive: .no)
    }

    static func any(_ tests: [TestCode]) -> TestCode {
        if tests.count == 2 {
            let (first, second) = (tests[0], tests[1])
            return TestCode { cells, scratch in
                switch first(cells, scratch) {
                case .yes: return .yes
                case .no: return second(cells, scratch)
                case .failed: return rest([second], decisive: .yes, cells, scratch)
                }
            }
        }
        return several(tests, decisive: .yes)
    }

    private static func several(_ tests: [TestCode], decisive: Truth) -> TestCode {
        let otherwise: Truth = decisive == .yes ? .no : .yes
        return TestCode { cells, scratch in
            for index in tests.indices {
                let truth = tests[index](cells, scratch)
                if truth == decisive { return decisive }
                if truth == .failed { return rest(tests[(index + 1)...], decisive: decisive, cells, scratch) }
            }
            return otherwise
        }
    }

    /// After an error: only an operand that decides can still make it vanish. Running into the cost limit ends it all.
    @inline(never)
    private static func rest(_ tests: ArraySlice<TestCode>, decisive: Truth, _ cells: Cells, _ scratch: Scratch) -> Truth {
        let first = scratch.error
        if first?.code == .costLimit { return .failed }
        for test in tests {
            let truth = test(cells, scratch)
            if truth == decisive { return decisive }
            if truth == .failed, scratch.error?.code == .costLimit { return .failed }
        }
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
