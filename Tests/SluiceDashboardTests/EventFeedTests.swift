import Testing

@testable import SluiceDashboard

@Suite("The events of a dashboard")
struct EventFeedTests {
    @Test("are all sent to who takes them, and the newest alone to who is slow")
    func slowViewers() {
        var feed = EventFeed(run: "r")
        #expect(feed.next(after: 0) == .whole)
        var seen = feed.newest
        #expect(feed.next(after: seen) == nil)
        for _ in 0..<3 { feed.advance() }
        #expect(feed.next(after: seen) == .change)
        seen = feed.newest
        #expect(feed.next(after: seen) == nil)
        for _ in 0...EventFeed.mostMissed { feed.advance() }
        #expect(feed.next(after: seen) == .whole)
    }

    @Test("end with one that everybody is sent")
    func end() {
        var feed = EventFeed(run: "r")
        feed.advance()
        let seen = feed.newest
        feed.end()
        #expect(feed.next(after: 0) == .end && feed.next(after: seen) == .end)
        let last = feed.newest
        feed.advance()
        #expect(feed.newest == last && feed.next(after: last) == nil)
    }

    @Test(
        "have names, which say nothing to another run",
        arguments: [(nil, 0), ("r-1", 1), ("r-3", 3), ("r-4", 0), ("q-1", 0), ("r", 0), ("r-", 0), ("r-x", 0), ("r--1", 0), ("", 0)])
    func names(name: String?, number: Int) {
        var feed = EventFeed(run: "r")
        feed.advance()
        feed.advance()
        #expect(feed.name == "r-3")
        #expect(feed.number(of: name) == number)
    }

    @Test("A server stays for those who look on, and not for long")
    func lingering() {
        func goesOn(viewers: Int = 0, request: Duration? = nil, _ end: Duration) -> Bool {
            Lingering.goesOn(viewers: viewers, sinceRequest: request, sinceEnd: end)
        }
        #expect(!goesOn(.zero))
        #expect(goesOn(viewers: 1, .milliseconds(1999)) && !goesOn(viewers: 100, .seconds(2)))
        // A program that asked four seconds before the end, or after it.
        #expect(goesOn(request: .seconds(5), .seconds(1)) && goesOn(request: .zero, .seconds(1)) && !goesOn(request: .zero, .seconds(2)))
        #expect(!goesOn(request: .seconds(7), .seconds(1)))
    }
}
