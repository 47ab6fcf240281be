/// A server as one meets them: slow, sometimes busy, and now and then it never answers.
actor FlakyServer {
    enum Refusal: Error {
        case busy
        case tooLong(name: String)
    }

    private(set) var stored: Set<UInt64> = []
    private var attempts = 0
    /// For each name, how often its upload has failed or hung.
    private var troubles: [String: Int] = [:]

    func has(_ file: Fingerprint) -> Bool { stored.contains(file.hash) }

    /// Takes about 5 ms; every seventh call fails, every fiftieth hangs until it is cancelled, but
    /// neither more than twice for one name.
    func upload(_ file: Fingerprint) async throws {
        attempts += 1
        if file.name.count > 60 { throw Refusal.tooLong(name: file.name) }
        let (isBusy, hangs) = (attempts % 7 == 3, attempts % 50 == 20)
        if isBusy || hangs, troubles[file.name, default: 0] < 2 {
            troubles[file.name, default: 0] += 1
            if isBusy { throw Refusal.busy }
            try await Task.sleep(for: .seconds(3600))
        }
        try await Task.sleep(for: .milliseconds(5))
        stored.insert(file.hash)
    }
}
