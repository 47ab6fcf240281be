import Foundation
import Glibc

/// Speaks HTTP to the dashboard of a run, over loopback.
struct DashboardClient {
    struct Answer {
        var status: Int
        var head: String
        var body: String

        func json() throws -> [String: Any] { try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any] ?? [:] }
    }

    enum Failure: Error {
        case noAddress(String)
        case connection(Int32)
        case never(String, String)
    }

    let url: String
    let port: UInt16
    let token: String

    /// Waits for the run to say where its dashboard is.
    init(_ run: RunningCommand) throws {
        let said = try run.line(with: "sluice: dashboard: ")
        guard let match = said.firstMatch(of: /http:\/\/127\.0\.0\.1:([0-9]+)\/\?token=(\S+)/), let port = UInt16(match.1) else {
            throw Failure.noAddress(said)
        }
        (url, self.port, token) = (String(match.0), port, String(match.2))
    }

    /// - Parameter isKnown: whether to bring the token.
    func ask(_ method: String = "GET", _ path: String, body: String = "", fields: String = "", isKnown: Bool = true) throws -> Answer {
        let stream = try open(method, path, body: body, fields: "connection: close\r\n" + fields, isKnown: isKnown)
        defer { stream.close() }
        let text = stream.rest()
        guard let end = text.range(of: "\r\n\r\n"), let status = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw Failure.never("an answer", text)
        }
        return Answer(status: status, head: String(text[..<end.lowerBound]), body: String(text[end.upperBound...]))
    }

    func events(after name: String = "") throws -> EventStream {
        try open("GET", "/events", body: "", fields: name.isEmpty ? "" : "last-event-id: \(name)\r\n", isKnown: true)
    }

    /// Asks until the status is as it should be; fails after a minute.
    func status(until isFine: ([String: Any]) -> Bool) throws -> [String: Any] {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let answer = try ask("GET", "/status")
            let status = try answer.json()
            if isFine(status) { return status }
            guard ContinuousClock.now < deadline else { throw Failure.never("the status", answer.body) }
            poll(nil, 0, 10)
        }
    }

    private func open(_ method: String, _ path: String, body: String, fields: String, isKnown: Bool) throws -> EventStream {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isConnected = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
        guard isConnected else {
            let code = errno
            close(descriptor)
            throw Failure.connection(code)
        }
        let key = isKnown ? "authorization: Bearer \(token)\r\n" : ""
        let length = body.isEmpty ? "" : "content-length: \(body.utf8.count)\r\n"
        let stream = EventStream(descriptor)
        stream.send("\(method) \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\n\(key)\(length)\(fields)\r\n\(body)")
        return stream
    }
}

/// What comes on a connection.
final class EventStream {
    private let descriptor: Int32
    private var text: [UInt8] = []

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Reads the data of the next event of a kind; fails after a minute without it.
    func next(_ kind: String) throws -> String {
        while true {
            let all = String(decoding: text, as: UTF8.self)
            if let start = all.range(of: "event: \(kind)\n"), let end = all[start.upperBound...].range(of: "\n\n") {
                let event = all[start.upperBound..<end.lowerBound]
                text = Array(all[end.upperBound...].utf8)
                guard let data = event.range(of: "data: ") else { return "" }
                return String(event[data.upperBound...])
            }
            guard read() else { throw DashboardClient.Failure.never(kind, all) }
        }
    }

    /// Everything up to the end.
    func rest() -> String {
        while read() {}
        return String(decoding: text, as: UTF8.self)
    }

    private func read() -> Bool {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&state, 1, 60_000) == 1 else { return false }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return false }
        text += buffer[..<count]
        return true
    }

    func close() { Glibc.close(descriptor) }
}
