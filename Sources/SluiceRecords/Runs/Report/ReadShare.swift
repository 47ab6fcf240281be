import Glibc
import Sluice

/// How much of a run's inputs is read, 0 to 1.
///
/// Each input counts by the text that it is expected to hold, and by its compressed bytes, since
/// both take time: of two archives of the same size, one may hold ten times the other's text, and
/// of two with the same text, the one that compresses less takes longer to inflate and to deflate
/// again. In an input, the compressed bytes tell how far it is.
struct ReadShare: Sendable {
    /// How many bytes of text take as long as one compressed byte does beside its own text.
    /// Measured with files that compress to a twentieth and to two thirds, both before and after
    /// the others.
    private static let textPerByte = 6.0

    private let sizes: [UInt64]
    private var weights: [Double]
    private var total: Double
    private var done = 0.0

    /// - Returns: `nil` if an input has no size, such as a pipe.
    init?(_ inputs: [InputFile]) {
        self.init(sizes: inputs.map(\.size))
    }

    init?(sizes: [UInt64?]) {
        guard !sizes.contains(nil) else { return nil }
        self.sizes = sizes.compactMap(\.self)
        // Not `Double.init`, which would take the sizes for bit patterns.
        weights = self.sizes.map { Double($0) }
        total = weights.reduce(0, +)
    }

    /// `nil` if there is nothing to read.
    var share: Double? { total > 0 ? min(1, max(0, done / total)) : nil }

    /// Of a run that also returns all records of a stage, once everything is read.
    ///
    /// - Parameter counts: that stage's. Returning sorted records took three tenths of the time
    ///   where it was measured.
    func share(returning counts: StageCounts) -> Double? {
        guard let read = share else { return nil }
        let returned = counts.absorbed > 0 ? min(1, Double(counts.out) / Double(counts.absorbed)) : read.rounded(.down)
        return 0.7 * read + 0.3 * returned
    }

    /// Counts each input by its text, too, from now on; those whose text is unknown by the average
    /// of the others.
    ///
    /// - Parameter consumed: the bytes of each input that are consumed already.
    mutating func expect(_ texts: [UInt64?], consumed: [UInt64]) {
        let known = zip(texts, sizes).compactMap { text, size in text.map { (Double($0), Double(size)) } }
        let size = known.reduce(0) { $0 + $1.1 }
        guard size > 0 else { return }
        let ratio = known.reduce(0) { $0 + $1.0 } / size
        weights = zip(texts, sizes).map { text, size in (text.map { Double($0) } ?? ratio * Double(size)) + Self.textPerByte * Double(size) }
        total = weights.reduce(0, +)
        done = 0
        for (input, bytes) in consumed.enumerated() { consume(bytes, of: input) }
    }

    /// - Parameter bytes: more of the input, before decompression.
    mutating func consume(_ bytes: UInt64, of input: Int) {
        guard sizes[input] > 0 else { return }
        done += weights[input] * Double(bytes) / Double(sizes[input])
    }
}

/// The text that gzip files are expected to hold, from their last four bytes.
enum ExpectedText {
    /// Looking at more files than these takes too long.
    private static let most = 10_000
    /// The text of larger files may have 4 GiB, and more than the four bytes can say.
    private static let largest: UInt64 = 256 << 20
    /// Deflate's limit.
    private static let highestRatio: UInt64 = 1_032

    /// Reads from each file, which can take a while where files are far away. Stops if its task is
    /// cancelled.
    static func of(_ inputs: [InputFile]) -> [UInt64?] {
        guard (2...most).contains(inputs.count) else { return inputs.map { _ in nil } }
        return inputs.map { Task.isCancelled ? nil : text(of: $0) }
    }

    /// Of a file with several members, these are the bytes of the last one. Most of these say less
    /// text than the file has bytes, and are not believed.
    private static func text(of input: InputFile) -> UInt64? {
        guard let size = input.size, (18...largest).contains(size), input.path.hasSuffix(".gz") else { return nil }
        let descriptor = open(input.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = [0, 0, 0, 0]
        guard pread(descriptor, &bytes, 4, off_t(size - 4)) == 4 else { return nil }
        return believed(bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }, size: size)
    }

    static func believed(_ text: UInt64, size: UInt64) -> UInt64? { (size...size * highestRatio).contains(text) ? text : nil }
}
