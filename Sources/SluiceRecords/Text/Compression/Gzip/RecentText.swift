import FoundationEssentials

/// The text that deflate data may refer to.
struct RecentText {
    private let bytes = ByteBuffer(capacity: 2 * InflateHistory.count)

    mutating func take(_ text: UnsafeBufferPointer<UInt8>) {
        let last = UnsafeBufferPointer(rebasing: text.suffix(InflateHistory.count))
        if bytes.count + last.count > bytes.capacity { bytes.dropFirst(bytes.count - InflateHistory.count) }
        bytes.append(last)
    }

    /// Whether there is as much as data can refer to.
    var isWhole: Bool { bytes.count >= InflateHistory.count }

    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        bytes.withFilled { body(UnsafeBufferPointer(rebasing: $0.suffix(InflateHistory.count))) }
    }

    var data: Data { withBytes { Data($0) } }
}
