import NIOCore
import NIOHTTP1

/// One connection: takes requests one after the other, or is a viewer's stream of events.
final class DashboardConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        /// Between requests.
        case idle
        case receiving(HTTPRequestHead, body: ByteBuffer)
        case viewing
        /// Has been answered for the last time.
        case closing
    }

    private let hub: DashboardHub
    private let isWelcome: Bool
    private var phase = Phase.idle
    private var context: ChannelHandlerContext?
    private var deadline: Scheduled<Void>?
    /// The number of the last event that was sent.
    var seen = 0

    init(_ hub: DashboardHub, isWelcome: Bool) {
        (self.hub, self.isWelcome) = (hub, isWelcome)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        deadline?.cancel()
        if case .viewing = phase { hub.remove(self) }
        phase = .closing
    }

    func channelActive(context: ChannelHandlerContext) {
        if isWelcome {
            expectRequest(context)
        } else {
            respond(.error(503, "connections", "too many connections"), isHead: false, keepsAlive: false, context)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), phase) {
        case (.head(let head), .idle):
            phase = .receiving(head, body: ByteBuffer())
        case (.body(let part), .receiving(let head, var body)):
            guard body.readableBytes + part.readableBytes <= DashboardServer.Limits.body else {
                let response = DashboardResponse.error(413, "body", "a body has at most \(DashboardServer.Limits.body) bytes")
                return respond(response, isHead: false, keepsAlive: false, context)
            }
            body.writeImmutableBuffer(part)
            phase = .receiving(head, body: body)
        case (.end, .receiving(let head, let body)):
            phase = .idle
            // Who asks for more without taking the answers is not waited for.
            guard context.channel.isWritable else { return close(context) }
            answer(head, body, context)
        case (_, .viewing):
            // A stream is the last answer on its connection.
            close(context)
        case (_, .idle), (_, .receiving), (_, .closing): break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, !isViewing else { return close(context) }
        let response: DashboardResponse =
            (error as? HTTPParserError) == .headerOverflow
            ? .error(431, "head", "the request's fields have more than \(DashboardServer.Limits.head) bytes") : .error(400, "request", "this is not HTTP")
        respond(response, isHead: false, keepsAlive: false, context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isViewing {
            deadline?.cancel()
            deadline = context.channel.isWritable ? nil : expire(context, in: DashboardServer.Limits.stall)
            hub.offer(to: self)
        }
        context.fireChannelWritabilityChanged()
    }

    private var isViewing: Bool {
        guard case .viewing = phase else { return false }
        return true
    }

    /// Until a whole request is there, however slowly it comes.
    private func expectRequest(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = expire(context, in: DashboardServer.Limits.request)
    }

    private func expire(_ context: ChannelHandlerContext, in time: TimeAmount) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            if let self, let context = self.context { close(context) }
        }
    }

    private func close(_ context: ChannelHandlerContext) {
        if case .viewing = phase { hub.remove(self) }
        phase = .closing
        context.close(promise: nil)
    }

    private func answer(_ head: HTTPRequestHead, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        switch hub.answer(DashboardRequest(head, body)) {
        case .response(let response):
            respond(response, isHead: head.method == .HEAD, keepsAlive: head.isKeepAlive && !response.isLast, context)
        case .events(let name):
            deadline?.cancel()
            deadline = nil
            phase = .viewing
            var fields = Self.commonFields
            fields.add(name: "content-type", value: "text/event-stream; charset=utf-8")
            write(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: fields)), context)
            context.flush()
            hub.add(self, after: name)
        }
    }

    private static let commonFields: HTTPHeaders = [
        "cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cross-origin-resource-policy": "same-origin",
    ]

    private func respond(_ response: DashboardResponse, isHead: Bool, keepsAlive: Bool, _ context: ChannelHandlerContext) {
        var fields = Self.commonFields
        fields.add(name: "content-type", value: response.type)
        fields.add(name: "content-length", value: "\(response.body.count)")
        for (name, value) in response.fields { fields.replaceOrAdd(name: name, value: value) }
        if !keepsAlive { fields.replaceOrAdd(name: "connection", value: "close") }
        write(.head(HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: fields)), context)
        if !isHead { write(.body(.byteBuffer(ByteBuffer(bytes: response.body))), context) }
        guard keepsAlive else {
            phase = .closing
            return writeLast(context)
        }
        write(.end(nil), context)
        context.flush()
        expectRequest(context)
    }

    private func write(_ part: HTTPServerResponsePart, _ context: ChannelHandlerContext) { context.write(wrapOutboundOut(part), promise: nil) }

    /// Ends the response, and the connection with it.
    private func writeLast(_ context: ChannelHandlerContext) {
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [weak self] _ in
            if let self, let context = self.context { close(context) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        deadline?.cancel()
        deadline = expire(context, in: DashboardServer.Limits.stall)
    }
}

/// As a viewer.
extension DashboardConnection {
    var canTake: Bool { isViewing && context?.channel.isWritable == true }

    func send(_ event: ByteBuffer, isLast: Bool) {
        guard let context else { return }
        write(.body(.byteBuffer(event)), context)
        guard isLast else { return context.flush() }
        // It counts as a viewer until it has taken everything.
        writeLast(context)
    }

    func leave() {
        if let context { close(context) }
    }
}

extension DashboardRequest {
    init(_ head: HTTPRequestHead, _ body: ByteBuffer) {
        let method: Method =
            switch head.method {
            case .GET: .get
            case .HEAD: .head
            case .POST: .post
            default: .other
            }
        self.init(method, target: head.uri, body: Array(body.readableBytesView))
        // Of a field that may be there once, two are as good as none.
        func field(_ name: String) -> String? { head.headers[name].count == 1 ? head.headers[name][0] : nil }
        (host, origin, authorization, lastEventID) = (field("host"), field("origin"), field("authorization"), field("last-event-id"))
        if head.headers.contains(name: "origin"), origin == nil { origin = "null" }
        if head.headers.contains(name: "authorization"), authorization == nil { authorization = "" }
    }
}
