import NIOCore
import NIOHTTP1

/// The connections of a server and the events for its viewers. Confined to the server's thread.
final class DashboardHub {
    private let routes: DashboardRoutes
    private let content: any DashboardContent
    private let loop: any EventLoop
    private var feed: EventFeed
    /// Each event is made once, and sent to all from the same bytes.
    private var made: [EventFeed.Event: ByteBuffer] = [:]
    private var viewers: [ObjectIdentifier: DashboardConnection] = [:]
    private var connections: [ObjectIdentifier: any Channel] = [:]
    private var ticking: Scheduled<Void>?
    private var lastRequest: NIODeadline?
    private var endedAt: NIODeadline?

    init(_ routes: DashboardRoutes, content: any DashboardContent, run: String, on loop: any EventLoop) {
        (self.routes, self.content, self.loop) = (routes, content, loop)
        feed = EventFeed(run: run)
    }

    // Connections.

    func accept(_ channel: any Channel) throws {
        let key = ObjectIdentifier(channel)
        let isWelcome = connections.count < DashboardServer.Limits.connections
        connections[key] = channel
        channel.closeFuture.assumeIsolated().whenComplete { [self] _ in connections[key] = nil }
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = DashboardServer.Limits.head
        limits.maxHeaderListSize = DashboardServer.Limits.head
        limits.maxHeaderFieldCount = DashboardServer.Limits.fields
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTPResponseEncoder())
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits)))
        try pipeline.addHandler(DashboardConnection(self, isWelcome: isWelcome))
    }

    func answer(_ request: DashboardRequest) -> DashboardAnswer {
        let answer = routes.answer(request, event: feed.name)
        if case .response(let response) = answer, response.status < 400 {
            lastRequest = loop.now
            if request.method == .post { advance() }
        }
        return answer
    }

    // Viewers.

    /// - Parameter name: that of the last event that the viewer has seen.
    func add(_ viewer: DashboardConnection, after name: String?) {
        viewer.seen = feed.number(of: name)
        viewers[ObjectIdentifier(viewer)] = viewer
        if ticking == nil, !feed.hasEnded {
            // What was made for the last viewer is old.
            advance()
            ticking = after(DashboardServer.Limits.pause) { $0.tick() }
        } else {
            offer(to: viewer)
        }
    }

    func remove(_ viewer: DashboardConnection) {
        viewers[ObjectIdentifier(viewer)] = nil
        guard viewers.isEmpty else { return }
        // Without viewers, nothing is made.
        ticking?.cancel()
        ticking = nil
    }

    private func tick() {
        ticking = after(DashboardServer.Limits.pause) { $0.tick() }
        advance()
    }

    private func after(_ time: TimeAmount, _ body: @escaping (DashboardHub) -> Void) -> Scheduled<Void> {
        loop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            if let self { body(self) }
        }
    }

    /// Sends how things stand to every viewer that can take it.
    func advance() {
        guard !feed.hasEnded else { return }
        feed.advance()
        made = [:]
        for viewer in viewers.values { offer(to: viewer) }
    }

    /// Sends the newest event, unless the viewer has it, or has not taken what it was sent before.
    func offer(to viewer: DashboardConnection) {
        guard viewer.canTake, let event = feed.next(after: viewer.seen) else { return }
        let bytes: ByteBuffer
        do {
            bytes = try made[event] ?? make(event)
        } catch {
            return viewer.leave()
        }
        made[event] = bytes
        viewer.seen = feed.newest
        viewer.send(bytes, isLast: event == .end)
    }

    private func make(_ event: EventFeed.Event) throws -> ByteBuffer {
        let (kind, data) =
            switch event {
            case .change: ("change", try content.event(isWhole: false))
            case .whole: ("whole", try content.event(isWhole: true))
            case .end: ("end", try content.lastEvent())
            }
        var buffer = ByteBuffer()
        buffer.writeString("id: \(feed.name)\nevent: \(kind)\nretry: 1000\ndata: ")
        buffer.writeBytes(data)
        buffer.writeString("\n\n")
        return buffer
    }

    // The end.

    func end() {
        guard !feed.hasEnded else { return }
        ticking?.cancel()
        ticking = nil
        feed.end()
        made = [:]
        for viewer in viewers.values { offer(to: viewer) }
        // To make the last event of a large run takes its time.
        endedAt = loop.now
    }

    /// Completes once the server need not stay any longer.
    func lingered() -> EventLoopFuture<Void> {
        let done = loop.makePromise(of: Void.self)
        linger(done)
        return done.futureResult
    }

    private func linger(_ done: EventLoopPromise<Void>) {
        guard goesOn else { return done.succeed(()) }
        _ = after(.milliseconds(20)) { $0.linger(done) }
    }

    private var goesOn: Bool {
        let now = loop.now
        guard let endedAt else { return false }
        return Lingering.goesOn(
            viewers: viewers.count, sinceRequest: lastRequest.map { Duration(now - $0) }, sinceEnd: Duration(now - endedAt))
    }

    func closeAll() {
        for channel in connections.values { channel.close(promise: nil) }
    }
}
