import Glibc
import SluiceCEL
import SluiceRecords

/// Processor time of this thread, in seconds.
func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Decodes the text repeatedly, and writes it if `write` is given; prints what each took.
func measure(
    _ name: String, _ text: TextBatches, columns: Int, spans: Bool = false, _ decoder: some RecordDecoder,
    write: ((RowTable, Int, UnsafeBufferPointer<UInt8>, Scratch, ByteBuffer) -> Void)? = nil
) {
    let table = RowTable(columns: columns, hasSpans: spans)
    let scratch = Scratch()
    let output = ByteBuffer(capacity: 2 * Batch.targetBytes)
    var best = (decode: Double.infinity, write: Double.infinity)
    var failed = 0
    for _ in 0..<7 {
        var round = (decode: 0.0, write: 0.0)
        failed = 0
        for batch in text.batches {
            let base = UnsafePointer(text.bytes.start + batch.start)
            let start = processorTime()
            table.prepare(rows: batch.frames.count)
            decoder.decode(batch.frames, of: base, into: table)
            let decoded = processorTime()
            output.count = 0
            if let write {
                for (row, frame) in batch.frames.enumerated() where table.outcomes[row] != .failed {
                    write(table, row, UnsafeBufferPointer(start: base + Int(frame.start), count: Int(frame.count)), scratch, output)
                    output.append(0x0A)
                }
            }
            scratch.reset()
            round.decode += decoded - start
            round.write += processorTime() - decoded
            failed += table.failures.count
        }
        best = (min(best.decode, round.decode), min(best.write, round.write))
    }
    let size = Double(text.bytes.count) / 1e6
    let decodeSpeed = Int(size / best.decode)
    let writeSpeed = write == nil ? "" : ", written \(Int(size / best.write))"
    print("\(name): decoded \(decodeSpeed) MB/s\(writeSpeed)\(failed == 0 ? "" : ", \(failed) records failed")")
}
