/// State of something that takes elements one at a time.
///
/// `@unchecked Sendable`: only its segment's committer touches it, and that is a single task.
final class SerialState<Value>: @unchecked Sendable {
    var value: Value

    init(_ value: Value) {
        self.value = value
    }
}
