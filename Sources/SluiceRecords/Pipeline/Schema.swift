public import SluiceCEL

/// Which fields the records have at one place in the pipeline: what expressions there are checked against.
public enum Schema: Sendable {
    /// Known only when a record is read: JSON.
    case open
    /// In the order they are written.
    case known([Field])

    public struct Field: Sendable {
        public var name: String
        public var type: CELType

        public init(name: String, type: CELType) {
            self.name = name
            self.type = type
        }
    }
}
