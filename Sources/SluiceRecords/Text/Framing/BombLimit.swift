/// When a record is given up before its end, because it can only be a decompression bomb.
///
/// No text that is worth keeping compresses like this: deflate reaches at most 1032 to 1, and only
/// for one byte over and over. The limit concerns single records that are over `max_record`
/// already, so an archive of short lines that are all the same is read to its end.
struct BombLimit: Sendable {
    /// The distance between marks, in bytes of the record's text. It is measured at the first one
    /// and checked at each further one, so no record is given up before the second.
    var text: UInt64 = 128 << 20
    /// The least number of bytes of text for each byte of compressed data.
    var ratio: UInt64 = 500

    /// How much was read of a record, and of the compressed data of its input.
    struct Extent {
        var text: UInt64
        var compressed: UInt64
    }

    /// The number of bytes to read of a record until the next mark.
    func room(after count: UInt64) -> Int { Int(clamping: text - count % text) }

    /// Whether there is a mark at `count` bytes of a record that was found to be too long at
    /// `begun`. There is none for a while after that: how much compressed data was read is only
    /// certain once no text is left that was inflated ahead.
    func isMark(_ count: UInt64, since begun: UInt64) -> Bool {
        count % text == 0 && count >= begun + text / 4
    }

    /// - Parameter first: the extent at the first mark.
    func isReached(at extent: Extent, since first: Extent) -> Bool {
        extent.compressed >= first.compressed && (extent.text - first.text) / ratio >= max(extent.compressed - first.compressed, 1)
    }
}
