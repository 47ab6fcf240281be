import DequeModule

/// The results of a stream on their way from workers to the one who reads them, at most `window` at a time.
struct ResultQueue<Value: Sendable> {
    /// What the reader gets.
    enum Arrival {
        case value(Value)
        case failure(any Error)
        case end
    }

    let window: Int
    let isOrdered: Bool
    /// Results by their place since the first one not read; unordered ones in the order in which they came.
    private var ready: Deque<Arrival?> = []
    private var firstPlace = 0
    private var issued = 0
    private var read = 0
    private var hasEnded = false
    private var isAbandoned = false
    private var pump: UnsafeContinuation<Void, Never>?
    private var reader: UnsafeContinuation<Void, Never>?

    init(window: Int, isOrdered: Bool) {
        self.window = window
        self.isOrdered = isOrdered
    }

    /// Whether the pump may go on.
    enum Room {
        /// With the job of this place.
        case place(Int)
        case none
        /// The reader has gone.
        case abandoned
    }

    mutating func issue() -> Room {
        guard !isAbandoned else { return .abandoned }
        guard issued - read < window else { return .none }
        issued += 1
        if isOrdered { ready.append(nil) }
        return .place(issued - 1)
    }

    mutating func put(_ arrival: Arrival, at place: Int) -> UnsafeContinuation<Void, Never>? {
        if isOrdered {
            ready[place - firstPlace] = arrival
            guard place == firstPlace else { return nil }
        } else {
            ready.append(arrival)
        }
        return takeReader()
    }

    /// No more jobs come; with an error, that comes after all results.
    mutating func end(_ error: (any Error)?) -> UnsafeContinuation<Void, Never>? {
        hasEnded = true
        if let error {
            issued += 1
            ready.append(.failure(error))
        }
        return takeReader()
    }

    /// - Returns: nil if the reader must wait.
    mutating func next() -> (Arrival, pump: UnsafeContinuation<Void, Never>?)? {
        if let first = ready.first, let arrival = first {
            ready.removeFirst()
            firstPlace += 1
            read += 1
            defer { pump = nil }
            return (arrival, pump)
        }
        return hasEnded && read == issued ? (.end, nil) : nil
    }

    /// - Returns: false if there is room again.
    mutating func waitForRoom(_ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        guard !isAbandoned, issued - read >= window else { return false }
        pump = continuation
        return true
    }

    /// - Returns: false if there is something to read.
    mutating func waitForResult(_ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        if isAbandoned { return false }
        if case .some(.some) = ready.first { return false }
        if hasEnded, read == issued { return false }
        reader = continuation
        return true
    }

    /// - Returns: whoever waits, the pump and the reader.
    mutating func abandon() -> [UnsafeContinuation<Void, Never>] {
        isAbandoned = true
        let waiting = [pump, reader].compactMap(\.self)
        pump = nil
        reader = nil
        return waiting
    }

    private mutating func takeReader() -> UnsafeContinuation<Void, Never>? {
        defer { reader = nil }
        return reader
    }
}
