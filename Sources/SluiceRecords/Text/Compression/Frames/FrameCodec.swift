/// A compression whose inputs are frames, one after the other, that can be read on their own: zstd's
/// frames, the streams of bzip2 and xz.
protocol FrameCodec: AnyObject {
    /// What a frame begins with: what is searched for after damage.
    var magic: [UInt8] { get }

    /// What stands at the window's position, which is not the input's end. Looks ahead, moves
    /// nothing.
    func start(in window: InputWindow) -> FrameStart

    /// Begins the frame at the window's position, which ``start(in:)`` has found to be one.
    func begin(in window: InputWindow)

    /// Whether a frame that ``start(in:)`` has found after damage is more than chance.
    func isSound(in window: InputWindow) -> Bool

    /// Reads from the window and moves it on.
    ///
    /// - Parameter output: not empty.
    func decode(from window: InputWindow, into output: UnsafeMutableBufferPointer<UInt8>) -> FrameStep
}

extension FrameCodec {
    func isSound(in window: InputWindow) -> Bool { true }
}

enum FrameStart: Equatable {
    case frame
    /// So many bytes that hold no text.
    case skippable(UInt64)
    /// The input ends inside the frame's header.
    case incomplete
    /// Something else.
    case other
}

struct FrameStep {
    enum State: Equatable {
        case going
        /// The frame's end, all of its checks right.
        case ended
        /// The input ends inside the frame.
        case cutOff
        /// All text was produced; it is not what was compressed.
        case wrongCheck
        /// The data makes no sense from the window's position on.
        case corrupt
    }

    var produced: Int
    var state: State
}
