/// What was read of one input.
public struct InputSummary: Sendable, Equatable {
    public var file: String
    /// Of the file, compressed if it is.
    public var bytes: UInt64 = 0
    /// Of the text, damaged parts that were read included.
    public var textBytes: UInt64 = 0
    /// Gzip members whose header was met; 0 for plain text.
    public var members = 0
    /// Delivered as frames.
    public var records: UInt64 = 0
    /// Delivered as oversized records.
    public var oversized: UInt64 = 0
    public var damage: [Damage] = []

    public init(file: String) {
        self.file = file
    }
}
