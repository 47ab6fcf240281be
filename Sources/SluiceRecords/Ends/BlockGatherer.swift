import SluiceCEL

/// Gathers the small pieces of text that batches leave over for blocks of about 1 MiB, for each
/// output on its own.
///
/// What comes out depends on the order and the size of what went in, never on time. Pure.
struct BlockGatherer {
    private var pending: [Name: ByteBuffer] = [:]
    /// Outputs in the order in which their pending text began.
    private var order: [Name] = []
    private var pendingBytes = 0
    /// Text of one output that is let go as a block.
    private let blockBytes: Int
    /// Text of all outputs together that may wait.
    private let mostPending: Int

    init(blockBytes: Int = 1 << 20, mostPending: Int = 32 << 20) {
        self.blockBytes = blockBytes
        self.mostPending = mostPending
    }

    /// - Returns: for each output that has enough now, its text, in the order to be written.
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

    /// What waits for `path`, which must be written before anything else is.
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
