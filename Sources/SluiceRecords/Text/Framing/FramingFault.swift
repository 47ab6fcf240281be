/// Why a record is none, as far as that is known when the text is cut into records.
package struct FramingFault: Sendable, Equatable {
    /// The start of the record's frame.
    package var start: UInt32
    package var code: String
    package var message: String
    /// Whether it is the reason even if the record cannot be decoded for another.
    package var isFirst: Bool
}
