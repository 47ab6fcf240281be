/// What was read of one input.
package struct InputSummary: Sendable, Equatable {
    package var file: String
    /// Of the file, compressed if it is.
    package var bytes: UInt64 = 0
    /// Of the text, damaged parts that were read included.
    package var textBytes: UInt64 = 0
    /// Gzip members whose header was met; 0 for plain text.
    package var members = 0
    /// Delivered as frames.
    package var records: UInt64 = 0
    /// Delivered as oversized records.
    package var oversized: UInt64 = 0
    package var damage: [Damage] = []

    package init(file: String) {
        self.file = file
    }
}
