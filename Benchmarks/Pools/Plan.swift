import WorkerPools

/// What one run of the benchmark measures, read from the command line.
struct Plan {
    enum Body: String { case sleep, taskSleep = "task-sleep", empty, capture, emptyAsync = "empty-async", compute }
    enum Way: String { case submit, handle, batch, map, callback }
    enum Measure: String { case throughput, idle, latency }

    var measure = Measure.throughput
    var body = Body.empty
    var way = Way.submit
    var jobs = 1_000_000
    var concurrency = 2
    var submitters = 1
    var queue = 4096
    var threads = 2
    /// false: the workers run on Swift's cooperative pool.
    var ownThreads = true
    var lock = LockChoice.parking
    var longestRun = 128
    var timeout = false
    var retry = false
    var priority = false

    static let usage = """
        bench-pool [--body sleep|task-sleep|empty|capture|empty-async|compute] [--jobs N] [--concurrency N] [--submitters N]
                   [--way submit|handle|callback|batch|map] [--queue N] [--threads N] [--global] [--polling]
                   [--longest-run N]
                   [--timeout] [--retry] [--priority] [--measure throughput|idle|latency]
        """

    init(_ arguments: [String]) throws(BadArgument) {
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            switch flag {
            case "--timeout": timeout = true
            case "--retry": retry = true
            case "--priority": priority = true
            case "--global": ownThreads = false
            case "--polling": lock = .polling
            case "--body": body = try Self.choice(flag, &rest)
            case "--way": way = try Self.choice(flag, &rest)
            case "--measure": measure = try Self.choice(flag, &rest)
            case "--jobs": jobs = try Self.count(flag, &rest)
            case "--concurrency": concurrency = try Self.count(flag, &rest)
            case "--submitters": submitters = try Self.count(flag, &rest)
            case "--queue": queue = try Self.count(flag, &rest)
            case "--longest-run": longestRun = try Self.count(flag, &rest)
            case "--threads": threads = try Self.count(flag, &rest)
            default: throw BadArgument(flag: flag)
            }
        }
    }

    private static func choice<Choice: RawRepresentable>(
        _ flag: String, _ rest: inout ArraySlice<String>
    ) throws(BadArgument) -> Choice where Choice.RawValue == String {
        guard let text = rest.popFirst(), let choice = Choice(rawValue: text) else { throw BadArgument(flag: flag) }
        return choice
    }

    private static func count(_ flag: String, _ rest: inout ArraySlice<String>) throws(BadArgument) -> Int {
        guard let text = rest.popFirst(), let count = Int(text), count > 0 else { throw BadArgument(flag: flag) }
        return count
    }
}

struct BadArgument: Error {
    var flag: String
}
