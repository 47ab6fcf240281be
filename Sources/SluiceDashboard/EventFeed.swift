/// The events of a run, by number: which a viewer is to be sent next. A state machine without
/// connections or clocks.
///
/// An event says how things stand, so that one may be left out without a loss: a viewer that is
/// slow gets the newest one once it can take it, and none in between.
struct EventFeed {
    /// What a viewer is sent.
    enum Event: Hashable {
        /// What has changed, which includes one sample.
        case change
        /// Everything, with all samples.
        case whole
        /// The report, after which nothing comes.
        case end
    }

    /// Of this process: another one that serves the same address counts from 1, too.
    let run: String
    private(set) var newest = 1
    private(set) var hasEnded = false

    /// How many changes in a row may be missing: with more, all samples are sent, as the curves
    /// would have a gap.
    static let mostMissed = 10

    init(run: String) { self.run = run }

    /// The name of the newest event.
    var name: String { "\(run)-\(newest)" }

    mutating func advance() {
        if !hasEnded { newest += 1 }
    }

    mutating func end() {
        advance()
        hasEnded = true
    }

    /// The number of the last event that a viewer has seen; 0 if it is not one of this run.
    func number(of name: String?) -> Int {
        guard let name, let dash = name.lastIndex(of: "-"), name[..<dash] == run, let number = Int(name[name.index(after: dash)...]) else { return 0 }
        return (0...newest).contains(number) ? number : 0
    }

    /// - Parameter seen: the number of the last event that the viewer was sent.
    /// - Returns: `nil` if there is none that it needs.
    func next(after seen: Int) -> Event? {
        guard seen < newest else { return nil }
        if hasEnded { return .end }
        return seen == 0 || newest - seen > Self.mostMissed ? .whole : .change
    }
}

/// How long a server goes on after the end of its run.
package struct Lingering: Sendable {
    /// The longest, however many look on.
    package static let longest = Duration.seconds(2)
    /// A program that has asked this recently is expected to ask once more.
    static let recent = Duration.seconds(5)

    /// - Parameters:
    ///   - viewers: those that have not been sent the report yet.
    ///   - sinceRequest: since the last request of a program; `nil` if there was none.
    ///   - sinceEnd: since the end of the run.
    static func goesOn(viewers: Int, sinceRequest: Duration?, sinceEnd: Duration) -> Bool {
        guard sinceEnd < longest else { return false }
        // A request after the end has had its answer, but others may follow.
        return viewers > 0 || sinceRequest.map { $0 - sinceEnd < recent } ?? false
    }
}
