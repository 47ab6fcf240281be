import CISAL
import SluiceCEL

/// Inflates with ISA-L, at least twice as fast as zlib.
///
/// Unsafe memory: the handle belongs to this object from `init` to `deinit`; the library accesses
/// only the memory that it is given.
final class ISALInflater: Inflater {
    static var isAvailable: Bool { cisal_available() != 0 }

    private let handle: OpaquePointer

    /// - Precondition: ``isAvailable``.
    init() {
        guard let handle = cisal_inflater_new() else { Memory.refused() }
        self.handle = handle
    }

    deinit {
        cisal_inflater_free(handle)
    }

    func reset() {
        cisal_inflater_reset(handle)
    }

    func reset(after history: UnsafeBufferPointer<UInt8>) {
        cisal_inflater_reset_after(handle, history.baseAddress, history.count)
    }

    func inflate(_ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Inflation {
        var (consumed, produced) = (0, 0)
        let result = cisal_inflate(handle, input.baseAddress, input.count, output.baseAddress, output.count, &consumed, &produced)
        let state: Inflation.State =
            switch UInt32(result) {
            case CISAL_NEEDS_INPUT.rawValue: .needsInput
            case CISAL_OUTPUT_FULL.rawValue: .outputFull
            case CISAL_ENDED.rawValue: .ended
            default: .corrupt
            }
        return Inflation(consumed: consumed, produced: produced, state: state)
    }

    var isBetweenBlocks: Bool { cisal_inflater_is_between_blocks(handle) != 0 }

    func checksum(_ crc: UInt32, of bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        cisal_crc32(crc, bytes.baseAddress, bytes.count)
    }
}
