// Unsafe memory: socket addresses, as the system's functions take them.

import Foundation
import Glibc
import Synchronization
import Testing
import WorkerPools

@testable import SluiceRecords

/// An HTTP server on a free port of this machine, which answers what a test tells it to.
final class LocalServer: Sendable {
    struct Request: Sendable {
        var method: String
        var target: String
        /// With names in lower case.
        var headers: [String: String]
        var body: String
        /// How many requests the server has received, with this one.
        var number: Int
    }

    enum Reply: Sendable {
        case answer(Int, headers: [String] = [], body: [UInt8] = [])
        /// These bytes, after which the connection ends.
        case raw([UInt8])
        /// Nothing, until the client ends the connection.
        case silence
        /// The connection is reset.
        case reset

        static func text(_ text: String, status: Int = 200, headers: [String] = []) -> Reply { .answer(status, headers: headers, body: Array(text.utf8)) }
        static func raw(_ text: String) -> Reply { .raw(Array(text.utf8)) }
    }

    struct Counts: Sendable {
        var connections = 0
        var requests = 0
        /// Requests that are being answered.
        var open = 0
        var mostOpen = 0
    }

    let port: Int
    private let listener: Int32
    private let handler: @Sendable (Request) -> Reply
    private let state = Mutex(Counts())
    private let stopped = Atomic(false)

    var counts: Counts { state.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port)" }

    init(_ handler: @escaping @Sendable (Request) -> Reply) throws {
        self.handler = handler
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        port = try Self.listen(listener, backlog: 128)
        _ = WriteSignals.areErrors
        try SystemThread { [self] in accept() }.detach()
    }

    /// Binds a socket to a free port and listens there.
    static func listen(_ socket: Int32, backlog: Int32) throws -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard socket >= 0, bind(socket, address, size) == 0, Glibc.listen(socket, backlog) == 0, getsockname(socket, address, &size) == 0 else {
                    throw POSIXError(.init(rawValue: errno) ?? .EIO)
                }
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// A port that nothing listens on.
    static func freePort() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        return try listen(socket, backlog: 1)
    }

    func stop() {
        stopped.store(true, ordering: .releasing)
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func accept() {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0, !stopped.load(ordering: .acquiring) else {
                if connection >= 0 { close(connection) }
                close(listener)
                return
            }
            state.withLock { $0.connections += 1 }
            do { try SystemThread { [self] in serve(connection) }.detach() } catch { close(connection) }
        }
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        var received: [UInt8] = []
        while let request = read(connection, &received) {
            let reply = handler(request)
            defer { state.withLock { $0.open -= 1 } }
            switch reply {
            case .answer(let status, let headers, let body):
                var lines = ["HTTP/1.1 \(status) Status"] + headers
                if status != 204 && status != 304 { lines.append("Content-Length: \(body.count)") }
                let head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
                guard write(request.method == "HEAD" ? head : head + body, to: connection) else { return }
            case .raw(let bytes):
                _ = write(bytes, to: connection)
                return
            case .silence:
                var byte: UInt8 = 0
                while recv(connection, &byte, 1, 0) > 0 {}
                return
            case .reset:
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
                return
            }
        }
    }

    /// - Returns: `nil` at the end of the connection.
    private func read(_ connection: Int32, _ received: inout [UInt8]) -> Request? {
        let mark = Array("\r\n\r\n".utf8)
        while true {
            if let end = received.firstRange(of: mark) {
                let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1]).trimmingCharacters(in: .whitespaces) : ""
                }
                let count = headers["content-length"].flatMap { Int($0) } ?? 0
                if received.count >= end.upperBound + count {
                    let body = received[end.upperBound..<end.upperBound + count]
                    let words = lines[0].split(separator: " ").map(String.init)
                    let number = state.withLock { counts in
                        counts.requests += 1
                        counts.open += 1
                        counts.mostOpen = max(counts.mostOpen, counts.open)
                        return counts.requests
                    }
                    let request = Request(
                        method: words[0], target: words[1], headers: headers, body: String(decoding: body, as: UTF8.self), number: number)
                    received.removeFirst(end.upperBound + count)
                    return request
                }
            }
            var bytes = [UInt8](repeating: 0, count: 65536)
            let count = recv(connection, &bytes, bytes.count, 0)
            guard count > 0 else { return nil }
            received += bytes[..<count]
        }
    }

    private func write(_ bytes: [UInt8], to connection: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { send(connection, $0.baseAddress.map { $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}

/// Opens once, and lets everyone through from then on.
final class ServerGate: Sendable {
    private let isOpen = Atomic(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    func wait() {
        while !isOpen.load(ordering: .acquiring) { poll(nil, 0, 2) }
    }
}

extension LocalServer {
    /// Waits until the condition holds; bounded by the time limit of the test.
    func wait(until isMet: (Counts) -> Bool) async {
        while !isMet(counts), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(2)) }
    }
}

extension HTTPPool {
    static func test(
        workers: Int = 1, timeout: Duration = .seconds(20), retry: RetryPolicy? = nil, secrets: [String] = [], _ change: (inout HTTPOptions) -> Void = { _ in }
    ) throws -> HTTPPool {
        var checking = Checking(label: "test")
        var options = try #require(HTTPOptions(Arguments(), &checking))
        change(&options)
        return HTTPPool(
            name: "test", HTTPLoop.Configuration(options: options, workers: workers, timeout: timeout, secrets: secrets), leastWorkers: workers, retry: retry)
    }

    func get(_ url: String, method: HTTP.Method = .get, headers: [HTTPRequest.Header] = [], body: String? = nil) async throws -> HTTPOutcome {
        guard case .address(let address) = HTTPAddress.read(url) else { throw POSIXError(.EINVAL) }
        return await answer(HTTPRequest(method: method, url: url, address: address, headers: headers, body: body.map { Array($0.utf8) }))
    }
}

extension HTTPOutcome {
    var answer: HTTPAnswer? { if case .answer(let answer) = self { answer } else { nil } }
    var text: String? { answer.map { String(decoding: $0.body, as: UTF8.self) } }
    var failure: HTTPFailure? { if case .failed(let failure, _) = self { failure } else { nil } }
    var code: String? { failure?.code.rawValue }
    var attempts: Int? { if case .failed(_, let attempts) = self { attempts } else { nil } }
}
