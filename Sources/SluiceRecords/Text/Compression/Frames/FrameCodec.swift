/// A compression format whose inputs are sequences of independently readable frames: the frames of
/// zstd, the streams of bzip2 and xz.
protocol FrameCodec: AnyObject {
    /// The bytes at the start of a frame, which are searched for after damage.
    var magic: [UInt8] { get }

    /// The state of an access point at the first byte of a frame.
    func state(_ state: FramedText.State) -> AccessPoint.State

    /// Classifies the bytes at the window's position, which must not be the end of the input. Looks
    /// ahead without moving the window.
    func start(in window: InputWindow) -> FrameStart

    /// Begins decoding the frame at the window's position, where ``start(in:)`` must have returned
    /// `.frame`.
    func begin(in window: InputWindow)

    /// Whether a frame that ``start(in:)`` found after damage is genuine rather than a coincidence.
    func isSound(in window: InputWindow) -> Bool

    /// Whether checksums prove all text that was produced of the frame so far.
    var isProved: Bool { get }

    /// Whether the frame that was begun last has no checksum of its text.
    var lacksChecksum: Bool { get }

    /// Decodes bytes from the window and advances it.
    ///
    /// - Parameter output: must not be empty.
    func decode(from window: InputWindow, into output: UnsafeMutableBufferPointer<UInt8>) -> FrameStep
}

extension FrameCodec {
    func isSound(in window: InputWindow) -> Bool { true }
    var isProved: Bool { false }
    var lacksChecksum: Bool { false }
}

enum FrameStart: Equatable {
    case frame
    /// A frame of this many bytes without text.
    case skippable(UInt64)
    /// The input ends inside the frame's header.
    case incomplete
    /// Not a frame.
    case other
}

struct FrameStep {
    enum State: Equatable {
        case going
        /// The frame ended and all of its checksums are right.
        case ended
        /// The input ends inside the frame.
        case cutOff
        /// All text was produced, but its checksum is wrong.
        case wrongCheck
        /// The data is invalid from the window's position on.
        case corrupt
    }

    var produced: Int
    var state: State
}
