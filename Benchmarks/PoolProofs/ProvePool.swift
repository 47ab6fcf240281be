import WorkerPools

/// Proofs that need their own process: the memory, time and allocations that a pool uses.
///
/// Prints one JSON line per figure, next to what was promised. Exits with 1 if a promise was
/// broken.
@main
struct ProvePool {
    static let proofs: [(name: String, run: @Sendable (inout Findings) async throws -> Void)] = [
        ("wake-up", WakeUp.prove), ("idle", Idle.prove), ("idle-pools", IdlePools.prove),
        ("flat-queue", FlatQueue.prove), ("cycles", Cycles.prove), ("ordered", Ordered.prove),
        ("allocations", Allocations.prove), ("trap", Trap.prove),
    ]

    static func main() async throws {
        let wanted = CommandLine.arguments.dropFirst()
        let known = proofs.map(\.name)
        guard !wanted.isEmpty, wanted.allSatisfy({ known.contains($0) }) else {
            print("usage: prove-pool PROOF...   one or more of: \(known.joined(separator: " "))")
            exitWithFailure()
        }
        var findings = Findings()
        for (name, run) in proofs where wanted.contains(name) {
            findings.proof = name
            try await run(&findings)
        }
        if findings.areBad { exitWithFailure() }
    }
}

/// Prints figures, and records whether one was worse than promised.
struct Findings {
    var proof = ""
    private(set) var areBad = false

    /// - Parameter limit: the promised maximum; nil if nothing was promised.
    mutating func note(_ what: String, _ value: Double, unit: String, limit: Double? = nil) {
        let isKept = limit.map { value <= $0 }
        if isKept == false { areBad = true }
        let promise = limit.map { ", \"limit\": \($0), \"kept\": \(isKept == true)" } ?? ""
        print("{\"proof\": \"\(proof)\", \"figure\": \"\(what)\", \"value\": \(value), \"unit\": \"\(unit)\"\(promise)}")
    }
}
