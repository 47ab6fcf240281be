// `bench-cel` measures everything; `bench-cel TEXT` only the expressions and patterns that contain
// TEXT.
let filter = CommandLine.arguments.dropFirst().first ?? ""
measureExpressions(containing: filter)
print()
measurePatterns(containing: filter)
