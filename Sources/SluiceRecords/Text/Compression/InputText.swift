/// The decompressed text of an input that is no archive.
struct InputText {
    let source: any TextSource
    let isPlainDespiteName: Bool

    init(_ source: any TextSource, isPlainDespiteName: Bool = false) {
        self.source = source
        self.isPlainDespiteName = isPlainDespiteName
    }

    /// - Parameters:
    ///   - size: the size of the whole input in bytes, if known.
    ///   - most: the number of bytes to decompress at a time.
    ///   - ahead: reads the same file.
    /// - Throws: ``InputError/unsupported(path:compression:)``, also for a compressed tar archive.
    init(
        of file: InputFile, as compression: Compression, in window: InputWindow, library: DeflateLibrary, size: UInt64?, most: Int = 256 << 10,
        ahead: BlocksAhead? = nil
    ) throws(InputError) {
        let text = try compression.text(of: file, in: window, library: library, size: size, most: most, ahead: ahead)
        guard !compression.isNone else {
            self.init(text, isPlainDespiteName: compression == .plainDespiteName)
            return
        }
        let begun = BegunText(text, count: TarHeader.count)
        guard !begun.beginning.withFilled(TarHeader.begins) else { throw .unsupported(path: file.path, compression: OtherCompression.tar) }
        self.init(begun)
    }
}

/// A text whose beginning is read ahead.
private final class BegunText: TextSource {
    private let base: any TextSource
    let beginning: ByteBuffer
    /// The number of bytes that were delivered of the beginning.
    private var passed = 0
    /// The events in it, with the number of bytes before each.
    private var events: [(place: Int, event: TextEvent)] = []
    private var isDelivered = false

    /// - Parameter count: the number of bytes to read ahead. Fewer are read if damage or the end
    ///   comes first.
    init(_ base: any TextSource, count: Int) {
        self.base = base
        beginning = ByteBuffer(capacity: count)
        while beginning.count < count {
            let step = base.read(into: beginning.start + beginning.count, room: count - beginning.count)
            beginning.count += step.count
            guard let event = step.event else { continue }
            events.append((beginning.count, event))
            if case .member = event { continue }
            break
        }
    }

    var position: UInt64 { base.position }
    var goesOnInsideRecord: Bool { base.goesOnInsideRecord }
    var wasCutBetweenMembers: Bool { base.wasCutBetweenMembers }
    var isUnproved: Bool { base.isUnproved }
    var lacksChecksum: Bool { base.lacksChecksum }
    func giveUpMember() -> Bool { isDelivered && base.giveUpMember() }
    func accessPoint(before text: UInt64, events: Int) -> AccessPoint? { base.accessPoint(before: text, events: events) }

    func read(into output: UnsafeMutablePointer<UInt8>, room: Int) -> TextRead {
        if isDelivered { return base.read(into: output, room: room) }
        let next = events.first
        let count = min(room, (next?.place ?? beginning.count) - passed)
        output.update(from: beginning.start + passed, count: count)
        passed += count
        guard let next, next.place == passed else {
            isDelivered = events.isEmpty && passed == beginning.count
            // A text without bytes or events is one that has not ended.
            return count > 0 ? TextRead(count: count, event: nil) : base.read(into: output, room: room)
        }
        events.removeFirst()
        isDelivered = events.isEmpty && passed == beginning.count
        return TextRead(count: count, event: next.event)
    }
}
