import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import WorkerPools

/// Serves a dashboard while a run goes on, on one thread of its own.
package final class DashboardServer: Sendable {
    /// What is allowed, whoever asks.
    enum Limits {
        static let connections = 256
        /// The line of the request and its fields, in bytes.
        static let head = 16 << 10
        static let fields = 64
        static let body = 4 << 10
        /// In which a connection must bring a whole request.
        static let request = TimeAmount.seconds(20)
        /// After which a viewer that takes nothing is disconnected.
        static let stall = TimeAmount.seconds(30)
        /// Between two events.
        static let pause = TimeAmount.seconds(1)
    }

    package enum Failure: Error, CustomStringConvertible {
        case address(DashboardAddress, String)
        case thread

        package var description: String {
            switch self {
            case .address(let address, let reason):
                "the dashboard cannot listen on \(address): \(reason); '--dashboard' alone takes a free port"
            case .thread: "the system refuses a thread for the dashboard"
            }
        }
    }

    /// The address of the page, with the token.
    package let url: String
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let hub: NIOLoopBound<DashboardHub>

    /// - Parameter run: a name for this process, unlike that of another one at the same address.
    /// - Throws: ``Failure``.
    package static func start(
        at address: DashboardAddress, token: DashboardToken, run: String, content: any DashboardContent
    ) async throws(Failure) -> DashboardServer {
        guard ThreadAllowance.threads(upTo: 1) == 1 else { throw .thread }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        do {
            let routes = DashboardRoutes(token: token, isLoopback: address.isLoopback, content: content)
            let hub = try await loop.submit { NIOLoopBound(DashboardHub(routes, content: content, run: run, on: loop), eventLoop: loop) }.get()
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 128)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try hub.value.accept(channel) }
                }
                .bind(to: SocketAddress.makeAddressResolvingHost(address.host, port: address.port)).get()
            let own = DashboardAddress(host: address.host, port: listener.localAddress?.port ?? address.port)
            return DashboardServer(url: "http://\(own)/?token=\(token.text)", group, listener, hub)
        } catch {
            await end(group)
            throw .address(address, reason(error))
        }
    }

    private init(url: String, _ group: MultiThreadedEventLoopGroup, _ listener: any Channel, _ hub: NIOLoopBound<DashboardHub>) {
        (self.url, self.group, self.listener, self.hub) = (url, group, listener, hub)
    }

    /// Sends viewers how things stand, before it is time.
    package func refresh() {
        listener.eventLoop.execute { [hub] in hub.value.advance() }
    }

    /// Sends every viewer the last event.
    package func end() {
        listener.eventLoop.execute { [hub] in hub.value.end() }
    }

    /// Waits for viewers to take what was sent, for two seconds at most, and closes everything.
    package func close() async {
        do {
            try await listener.eventLoop.flatSubmit { [hub] in hub.value.lingered() }.get()
            try await listener.close()
            try await listener.eventLoop.submit { [hub] in hub.value.closeAll() }.get()
        } catch {
            // The listener is closed already.
        }
        await Self.end(group)
    }

    private static func end(_ group: MultiThreadedEventLoopGroup) async {
        do {
            try await group.shutdownGracefully()
        } catch {
            // Nothing is left to be ended.
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: error.errnoCode == EADDRINUSE ? "another program listens there" : String(cString: strerror(error.errnoCode))
        case is SocketAddressError: "there is no such host"
        default: "\(error)"
        }
    }
}
