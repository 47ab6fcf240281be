// Unsafe memory: handles of libcurl. Each easy handle is created here and freed in `run`, after it
// was removed from the multi handle.

import CCurl
import Sluice

/// The requests in flight of a stage, and those that wait. Confined to the loop's thread.
final class HTTPTable {
    typealias Instant = ContinuousClock.Instant

    private let loop: HTTPLoop
    private let multi: UnsafeMutableRawPointer
    private let clock = ContinuousClock()
    /// The number of requests in flight, at most.
    private var workers: Int
    private var waiting: [HTTPQuestion] = []
    private var active: [UnsafeMutableRawPointer: HTTPTransfer] = [:]
    /// Handles that are not in use.
    private var idle: [UnsafeMutableRawPointer] = []
    /// The number of requests in flight to each server.
    private var load: [HTTPAddress: Int] = [:]
    private var isDraining = false
    /// When to give up what is in flight.
    private var end: Instant?
    private var closing: [CheckedContinuation<Void, Never>] = []
    private var isClosing = false

    init(loop: HTTPLoop, multi: UnsafeMutableRawPointer) {
        self.loop = loop
        self.multi = multi
        workers = loop.configuration.workers
        _ = ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        limitConnections()
    }

    private var connections: Int { loop.configuration.connections(for: workers) }

    private func limitConnections() {
        // Idle connections that are kept, over all servers.
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 2 * workers + 8)
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections)
    }

    /// Returns once it was told to close and nothing is in flight.
    func run() {
        while true {
            loop.takeCommands().forEach(take)
            passTime()
            begin()
            var running: Int32 = 0
            ccurl_multi_perform(multi, &running)
            finish()
            if isClosing, active.isEmpty, waiting.isEmpty, loop.closeInbox() { break }
            if canBegin { continue }
            ccurl_multi_poll(multi, patience)
        }
        for handle in idle { ccurl_easy_cleanup(handle) }
        ccurl_multi_cleanup(multi)
        closing.forEach { $0.resume() }
    }

    private func take(_ command: HTTPLoop.Command) {
        switch command {
        case .ask(let question):
            waiting.append(question)
        case .giveUp(let ticket):
            giveUp { $0.ticket === ticket }
        case .limit(let count):
            workers = count
            limitConnections()
        case .drain(let grace):
            isDraining = true
            end = min(end ?? clock.now + grace, clock.now + grace)
        case .close(let done):
            isDraining = true
            isClosing = true
            end = clock.now
            if let done { closing.append(done) }
        }
    }

    private func passTime() {
        if isDraining {
            for question in waiting { question.reply.resume(returning: .failure(.givenUp)) }
            waiting.removeAll()
        }
        guard let end, end <= clock.now else { return }
        self.end = nil
        giveUp { _ in true }
    }

    private func giveUp(where isMeant: (HTTPQuestion) -> Bool) {
        waiting.removeAll { question in
            guard isMeant(question) else { return false }
            question.reply.resume(returning: .failure(.givenUp))
            return true
        }
        for (handle, transfer) in active where isMeant(transfer.question) {
            release(handle)
            transfer.question.reply.resume(returning: .failure(.givenUp))
        }
    }

    private var next: Int? {
        waiting.firstIndex { question in
            question.ticket.isGivenUp || load[question.request.address, default: 0] < connections
        }
    }

    private var canBegin: Bool { active.count < workers && next != nil }

    private func begin() {
        while active.count < workers, let index = next {
            let question = waiting.remove(at: index)
            guard !question.ticket.isGivenUp else {
                question.reply.resume(returning: .failure(.givenUp))
                continue
            }
            guard let handle = idle.popLast() ?? ccurl_easy_init() else {
                question.reply.resume(returning: .failure(HTTPFailure(code: .connection, message: "no memory for a request", isTemporary: true)))
                continue
            }
            let transfer = HTTPTransfer(question, loop.configuration, easy: handle, now: clock.now)
            begin(transfer, handle)
        }
    }

    private func begin(_ transfer: HTTPTransfer, _ handle: UnsafeMutableRawPointer) {
        transfer.configure(now: clock.now)
        active[handle] = transfer
        load[transfer.request.address, default: 0] += 1
        ccurl_multi_add(multi, handle)
    }

    /// Takes the handle out of use.
    private func release(_ handle: UnsafeMutableRawPointer) {
        ccurl_multi_remove(multi, handle)
        guard let transfer = active.removeValue(forKey: handle) else { return }
        let left = load[transfer.address, default: 1] - 1
        load[transfer.address] = left == 0 ? nil : left
        idle.append(handle)
    }

    private func finish() {
        var left: Int32 = 0
        while let message = ccurl_multi_message(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle, let transfer = active[handle] else { continue }
            // The message is gone once its handle is removed.
            let code = ccurl_result(message)
            let end = transfer.ended(code)
            release(handle)
            switch end {
            case .done(let reply):
                transfer.question.reply.resume(returning: reply)
            case .redirected:
                guard !isDraining else {
                    transfer.question.reply.resume(returning: .failure(.givenUp))
                    continue
                }
                idle.removeLast()
                begin(transfer, handle)
            }
        }
    }

    /// In milliseconds.
    private var patience: Int32 {
        guard let end else { return 60_000 }
        let (seconds, attoseconds) = (end - clock.now).components
        return Int32(clamping: max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1))
    }
}
