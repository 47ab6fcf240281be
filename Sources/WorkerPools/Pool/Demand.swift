/// Stops the program with a message where a caller asks for what cannot be. In release builds, too, in which `precondition` says
/// nothing.
func demand(
    _ isMet: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    guard isMet else { fatalError(message(), file: file, line: line) }
}
