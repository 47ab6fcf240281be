import CZlib
import SluiceCEL

/// Inflates with zlib, which is always available.
///
/// Unsafe memory: the stream belongs to this object and does not move, as zlib requires; zlib
/// accesses only the memory that it is given.
final class ZlibInflater: Inflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private(set) var isBetweenBlocks = false

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = inflateInit2_(stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        if result == Z_MEM_ERROR { Memory.refused() }
        precondition(result == Z_OK, "zlib failed to start: \(result)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func reset() {
        inflateReset(stream)
        isBetweenBlocks = false
    }

    func reset(after history: UnsafeBufferPointer<UInt8>) {
        reset()
        inflateSetDictionary(stream, history.baseAddress, uInt(history.count))
    }

    func inflate(_ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Inflation {
        let (inputCount, outputCount) = (min(input.count, Int(uInt.max)), min(output.count, Int(uInt.max)))
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointee.avail_in = uInt(inputCount)
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = uInt(outputCount)
        let result = CZlib.inflate(stream, Z_NO_FLUSH)
        let state: Inflation.State =
            switch result {
            case Z_STREAM_END: .ended
            case Z_MEM_ERROR: Memory.refused()
            case Z_OK, Z_BUF_ERROR: stream.pointee.avail_out == 0 ? .outputFull : .needsInput
            default: .corrupt
            }
        let step = Inflation(
            consumed: inputCount - Int(stream.pointee.avail_in), produced: outputCount - Int(stream.pointee.avail_out), state: state)
        // zlib's manual on `data_type`: 128 between two blocks, 64 in the last block, plus the
        // number of unused bits of the last byte. A call that does nothing clears the 128.
        if step.consumed > 0 || step.produced > 0 { isBetweenBlocks = stream.pointee.data_type & (128 | 64 | 63) == 128 }
        return step
    }

    func checksum(_ crc: UInt32, of bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_z(uLong(crc), bytes.baseAddress, bytes.count))
    }
}
