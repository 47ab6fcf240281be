/// When a record is given up before its end, because it can only be a decompression bomb.
///
/// No text that is worth keeping compresses like this: deflate reaches at most 1032 to 1, and only
/// for one byte over and over. The limit concerns single records that are over `max_record`
/// already, so an archive of short lines that are all the same is read to its end.
struct BombLimit: Sendable {
    /// The number of bytes of a record after which it is checked, again and again.
    var text: UInt64 = 256 << 20
    /// The least number of bytes of text for each byte of compressed data.
    var ratio: UInt64 = 500

    /// The number of bytes to read of a record until it is checked.
    func room(after count: UInt64) -> Int { Int(clamping: text - count % text) }

    /// - Parameters:
    ///   - count: the number of bytes read of the record.
    ///   - grown: what text and compressed data have grown by since it was found to be too long.
    func isReached(at count: UInt64, _ grown: (text: UInt64, compressed: UInt64)) -> Bool {
        count >= text && count % text == 0 && grown.text / ratio >= max(grown.compressed, 1)
    }
}
