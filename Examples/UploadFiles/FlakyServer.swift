/// A server as one meets them: slow, sometimes busy, and now and then it never answers.
actor FlakyServer {
    enum Refusal: Error {
        case busy
        case tooLong(name: String)
    }

    private(set) var stored: Set<UInt64> = []
    private var attempts = 0

    func has(_ file: Fingerprint) -> Bool { stored.contains(file.hash) }

    /// Takes about 5 ms; every seventh call fails, every fiftieth hangs until it is cancelled.
    func upload(_ file: Fingerprint) async throws {
        attempts += 1
        if file.name.count > 60 { throw Refusal.tooLong(name: file.name) }
        if attempts % 7 == 3 { throw Refusal.busy }
        try await Task.sleep(for: attempts % 50 == 20 ? .seconds(3600) : .milliseconds(5))
        stored.insert(file.hash)
    }
}
