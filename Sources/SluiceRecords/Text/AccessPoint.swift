/// A place where the text of an input can be read from without what is before it: any byte of plain
/// text, the first byte of a gzip member or of a frame of another compression, or the end of a
/// flush inside a gzip member.
///
/// Reading from there gives the same text, events and damage as reading from the beginning.
struct AccessPoint: Codable, Sendable, Equatable {
    /// What the text's source knows there.
    enum State: Codable, Sendable, Equatable {
        case plain
        case gzip(GzipText.State)
        case zstd(FramedText.State)
        case bzip2(FramedText.State)
        case xz(FramedText.State)
    }

    /// In bytes of the input.
    var position: UInt64
    /// The number of bytes of text before it.
    var text: UInt64
    /// The number of events before it.
    var events: Int
    var state: State

    /// Where to begin to read the input: after damage, the search for a place to resume goes back a
    /// little. Reads have the same borders as from the input's beginning, since they decide how far
    /// the library reads ahead, which progress and the reports of runs that end early say.
    var windowStart: UInt64 {
        let first = position - min(position, UInt64(InputWindow.history))
        return first - first % UInt64(InputWindow.chunk)
    }

    /// The text from here on.
    ///
    /// - Parameters:
    ///   - window: the input from ``windowStart`` on.
    ///   - size: the size of the whole input in bytes, if known.
    ///   - ahead: reads the same file.
    /// - Returns: `nil` if the input ends before.
    func source(in window: InputWindow, library: DeflateLibrary, size: UInt64?, most: Int = 256 << 10, ahead: BlocksAhead? = nil) -> (any TextSource)? {
        while window.position < position {
            guard window.fill() else { return nil }
            window.advance(by: Int(min(position - window.position, UInt64(window.available.count))))
        }
        guard window.position == position else { return nil }
        func frames(_ codec: any FrameCodec, _ state: FramedText.State) -> any TextSource {
            FramedText(window: window, codec: codec, size: size, most: most, at: self, state)
        }
        switch state {
        case .plain: return PlainText(window: window, size: size)
        case .gzip(let state): return GzipText(window: window, library: library, size: size, most: most, ahead: ahead, at: self, state)
        case .zstd(let state): return frames(ZstdCodec(), state)
        case .bzip2(let state): return frames(Bzip2Codec(), state)
        case .xz(let state): return frames(XZCodec(), state)
        }
    }
}

/// The last access points that the reader of an input has passed.
struct AccessPoints {
    /// The least number of bytes of text between two. What is read again to continue after a batch
    /// is at most about as much, and the batch.
    private static let spacing: UInt64 = 1 << 20
    /// A batch ends at most about 512 KiB before what was read.
    private static let most = 4

    private var all: [AccessPoint] = []

    func want(at text: UInt64) -> Bool { all.last.map { text >= $0.text + Self.spacing } ?? true }

    mutating func add(_ point: AccessPoint) {
        if all.count == Self.most { all.removeFirst() }
        all.append(point)
    }

    /// The last one with at most so much text and so many events before it.
    func last(before text: UInt64, events: Int) -> AccessPoint? {
        all.last { $0.text <= text && $0.events <= events }
    }
}
