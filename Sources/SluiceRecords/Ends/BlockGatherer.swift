import SluiceCEL

/// Gathers small pieces of text, left over by batches, into blocks of about 1 MiB, separately for
/// each output.
///
/// The blocks depend only on the order and the size of the pieces, never on time.
struct BlockGatherer {
    private var pending: [Name: ByteBuffer] = [:]
    /// Outputs in the order in which their pending text began.
    private var order: [Name] = []
    private var pendingBytes = 0
    /// The size at which the text of one output is released as a block.
    private let blockBytes: Int
    /// The limit for the pending text of all outputs together.
    private let mostPending: Int

    /// The limit for the pending text of each sink of a run. One with one output has at most one
    /// block pending.
    static func mostPending(for sinks: [PlannedSink]) -> Int {
        mostPending(sinks: sinks.count { $0.settings.sink.compression != nil && $0.settings.sink.path.constant == nil })
    }

    /// The limit for the pending text of one of so many sinks whose outputs depend on values.
    static func mostPending(sinks: Int) -> Int { (32 << 20) / max(1, sinks) }

    init(blockBytes: Int = 1 << 20, mostPending: Int = mostPending(sinks: 1)) {
        self.blockBytes = blockBytes
        self.mostPending = mostPending
    }

    /// Restores the pending text of a checkpoint.
    init(_ waiting: [GzipCheckpoint.Text], mostPending: Int) {
        self.init(mostPending: mostPending)
        for piece in waiting {
            let buffer = ByteBuffer(capacity: piece.text.count)
            piece.text.withBytes { buffer.append($0) }
            pending[Name(piece.path)] = buffer
            order.append(Name(piece.path))
            pendingBytes += buffer.count
        }
    }

    var waiting: [GzipCheckpoint.Text] {
        order.compactMap { name in pending[name].map { GzipCheckpoint.Text(path: name.text, text: StoredBytes($0)) } }
    }

    /// - Returns: the text of each output that is due, in the order to write.
    mutating func add(_ text: ByteBuffer, to path: String) -> [(path: String, text: ByteBuffer)] {
        let name = Name(path)
        if let buffer = pending[name] {
            buffer.append(text.filled)
        } else {
            pending[name] = text
            order.append(name)
        }
        pendingBytes += text.count
        if let buffer = pending[name], buffer.count >= blockBytes { return take(path) }
        return pendingBytes > mostPending ? takeAll() : []
    }

    /// Takes the pending text of `path`, which must be written before anything else for that
    /// output.
    mutating func take(_ path: String) -> [(path: String, text: ByteBuffer)] {
        guard let buffer = pending.removeValue(forKey: Name(path)) else { return [] }
        order.removeAll { $0 == Name(path) }
        pendingBytes -= buffer.count
        return [(path, buffer)]
    }

    mutating func takeAll() -> [(path: String, text: ByteBuffer)] {
        let all = order.compactMap { name in pending[name].map { (name.text, $0) } }
        pending = [:]
        order = []
        pendingBytes = 0
        return all
    }
}
