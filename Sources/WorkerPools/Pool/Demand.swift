/// A precondition on the caller that also prints its message in release builds, where
/// `precondition` does not.
func demand(
    _ isMet: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    guard isMet else { fatalError(message(), file: file, line: line) }
}
