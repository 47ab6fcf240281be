/// Where the figures of a view come from.
protocol RunWatch: Sendable {
    /// Whether commands reach the run.
    var isLive: Bool { get }

    /// What is known of the run, again and again until nothing changes any more.
    func updates() -> AsyncStream<TopView.Event>

    /// - Returns: what became of the command, in a sentence.
    func perform(_ command: TopView.Command) async -> String
}
