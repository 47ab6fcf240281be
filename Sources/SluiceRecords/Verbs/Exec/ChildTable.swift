import Sluice
import Subprocess
import Synchronization
import SystemPackage

/// The children of a stage and the questions that wait for them. Confined to the loop's thread.
final class ChildTable {
    typealias Instant = ContinuousClock.Instant

    private enum Source {
        case wake
        case input(Int), output(Int), error(Int), exit(Int)
    }

    private struct Closing {
        /// When to give up the open questions; `nil` once that is done.
        var deadline: Instant?
        var patience: Duration
        var done: [CheckedContinuation<Void, Never>] = []
    }

    private let loop: ChildLoop
    private let wake: FileDescriptor
    private let clock = ContinuousClock()
    /// The number of idle children to keep.
    private var kept: Int
    private var limit: Int
    private var children: [Int: Child] = [:]
    private var nextID = 0
    /// Longest idle first, which gives unexpected output of a child the most time to arrive.
    private var idle: [Int] = []
    private var waiting: [Question] = []
    private var storm = RestartStorm()
    /// Whether any child has ever answered, and whether the user was warned that none does.
    private var hasAnswer = false
    private var hasWarned = false
    /// When to warn, from the moment that the first child was asked.
    private var warnAt: Instant?
    /// The number of children that exited unexpectedly and have not been replaced.
    private var lost = 0
    private var closing: Closing?
    private var isDraining = false
    /// When to give up the questions that no timeout bounds, while draining.
    private var drained: Instant?
    private var scratch = [UInt8](repeating: 0, count: 256 << 10)

    init(loop: ChildLoop, wake: FileDescriptor) {
        self.loop = loop
        self.wake = wake
        limit = loop.configuration.limit
        kept = limit
    }

    /// Returns once it was told to close and every child is gone.
    func run() {
        var sources = PollSet<Source>()
        while true {
            loop.takeCommands().forEach(take)
            passTime()
            dispatch()
            if closing != nil, children.isEmpty, waiting.isEmpty, loop.closeInbox() { break }
            sources.removeAll()
            list(in: &sources)
            sources.wait(nextDeadline.map { $0 - clock.now }).forEach(react)
        }
        closing?.done.forEach { $0.resume() }
    }

    private func list(in sources: inout PollSet<Source>) {
        sources.add(wake.rawValue, tag: .wake)
        for (id, child) in children {
            guard let process = child.process else { continue }
            sources.add(process.running.processIdentifier.processDescriptor, tag: .exit(id))
            if let input = child.pipes.input, !child.rules.unwritten.isEmpty { sources.add(input.rawValue, writing: true, tag: .input(id)) }
            if let output = child.pipes.output { sources.add(output.rawValue, tag: .output(id)) }
            if let error = child.pipes.error { sources.add(error.rawValue, tag: .error(id)) }
        }
    }

    private var nextDeadline: Instant? {
        var deadlines = children.values.compactMap(\.rules.deadline)
        if let end = closing?.deadline { deadlines.append(end) }
        if let warnAt { deadlines.append(warnAt) }
        if let drained { deadlines.append(drained) }
        if !waiting.isEmpty, children.count < limit, let notBefore = storm.notBefore { deadlines.append(notBefore) }
        return deadlines.min()
    }

    private func take(_ command: ChildLoop.Command) {
        switch command {
        case .ask(let question):
            waiting.append(question)
        case .giveUp(let ticket):
            giveUp(ticket)
        case .keep(let count):
            kept = count
        case .limit(let count):
            (limit, kept) = (count, count)
        case .drain:
            if !isDraining, loop.configuration.bounds.timeout == nil { drained = clock.now + loop.configuration.patience }
            isDraining = true
        case .started(let id, let running, let mayBeReaped):
            guard let child = children[id] else { return }
            child.process = (running, mayBeReaped)
            perform(child.rules.started(now: clock.now), child)
            if !hasAnswer, !hasWarned, warnAt == nil { warnAt = clock.now + loop.configuration.patience }
            write(child)
        case .ended(let id, let wasSuccess, let words):
            guard let child = children.removeValue(forKey: id) else { return }
            let last = child.errors.text
            perform(child.rules.reaped(wasSuccess: wasSuccess, words: last.isEmpty ? words : "\(words): \(last)"), child)
            cleanUp(child)
        case .spawnFailed(let id, let reason):
            guard let child = children.removeValue(forKey: id) else { return }
            perform(child.rules.spawnFailed(reason), child)
            cleanUp(child)
        case .close(let patience, let done):
            if closing == nil { closing = Closing(deadline: clock.now + patience, patience: patience) }
            if let done { closing?.done.append(done) }
        }
    }

    private func cleanUp(_ child: Child) {
        child.pipes.closeAll()
        child.errors.rest().forEach(loop.configuration.log)
        storm.ended(answers: child.rules.answers)
        loop.counts.withLock { $0.living = children.count }
    }

    private func giveUp(_ ticket: Ticket) {
        if let index = waiting.firstIndex(where: { $0.ticket === ticket }) {
            waiting.remove(at: index).reply.resume(returning: .failure(.givenUp))
        } else if let child = children.values.first(where: { $0.question?.ticket === ticket }) {
            perform(child.rules.cancel(now: clock.now), child)
        }
    }

    private func passTime() {
        let now = clock.now
        for child in children.values {
            if let deadline = child.rules.deadline, deadline <= now { perform(child.rules.tooLate(now: now), child) }
        }
        if let warnAt, warnAt <= now { warnOfSilence() }
        if let drained, drained <= now { giveUpAll(now) }
        guard let end = closing?.deadline, end <= now else { return }
        closing?.deadline = nil
        giveUpAll(now)
    }

    private func giveUpAll(_ now: Instant) {
        drained = nil
        for question in waiting { question.reply.resume(returning: .failure(.givenUp)) }
        waiting.removeAll()
        for child in children.values { perform(child.rules.cancel(now: now), child) }
    }

    private func dispatch() {
        if isDraining {
            for question in waiting { question.reply.resume(returning: .failure(.givenUp)) }
            waiting.removeAll()
        }
        while let question = waiting.first {
            if question.ticket.isGivenUp {
                waiting.removeFirst().reply.resume(returning: .failure(.givenUp))
            } else if !question.mustBeFresh, let child = idleChild() {
                waiting.removeFirst()
                ask(question, child)
            } else if children.count < limit {
                guard storm.allows(now: clock.now) else { break }
                waiting.removeFirst()
                spawn(question)
            } else {
                // Idle children must not block a question that needs a new child.
                if question.mustBeFresh, !children.values.contains(where: \.rules.isRetired) { dismissIdle(keeping: limit - 1) }
                break
            }
        }
        dismissIdle(keeping: closing != nil && waiting.isEmpty ? 0 : kept)
    }

    private func dismissIdle(keeping count: Int) {
        let patience = closing?.patience ?? loop.configuration.bounds.grace
        var surplus = children.values.count { !$0.rules.isRetired } - count
        while surplus > 0, let child = idleChild() {
            child.isDismissed = true
            perform(child.rules.close(within: patience, now: clock.now), child)
            surplus -= 1
        }
    }

    /// An idle child that has, at this moment, written nothing unexpected.
    private func idleChild() -> Child? {
        while !idle.isEmpty {
            let id = idle.removeFirst()
            guard let child = children[id], child.rules.state == .idle else { continue }
            readOutput(child)
            if child.rules.state == .idle { return child }
        }
        return nil
    }

    private func ask(_ question: Question, _ child: Child) {
        child.question = question
        child.askedAt = clock.now
        child.errors.forget()
        child.rules.ask(question.line, now: child.askedAt)
        write(child)
    }

    private func spawn(_ question: Question) {
        let configuration = loop.configuration
        let now = clock.now
        let pipes: ChildPipes
        do throws(Errno) {
            pipes = try ChildPipes()
        } catch {
            question.reply.resume(returning: .failure(ChildFailure(code: .spawn, message: "cannot open a pipe: \(error)")))
            return
        }
        nextID += 1
        let id = nextID
        children[id] = Child(id: id, question: question, bounds: configuration.bounds, pipes: pipes, now: now)
        storm.started(now: now)
        loop.counts.withLock { counts in
            counts.living = children.count
            counts.peak = max(counts.peak, children.count)
            if lost > 0 { counts.restarts += 1 }
        }
        lost = max(0, lost - 1)
        // Owned by this table: the task's last action is to send `ended` or `spawnFailed`, and
        // `run` returns only after that.
        Task { [loop, theirs = pipes.theirs] in
            await runChild(id, command: configuration.command, ends: theirs, loop: loop)
        }
    }

    private func react(to source: Source) {
        switch source {
        case .wake:
            while case .bytes = wake.readAvailable(into: &scratch) {}
        case .input(let id):
            if let child = children[id] { write(child) }
        case .output(let id):
            if let child = children[id] { readOutput(child) }
        case .error(let id):
            if let child = children[id] { readErrors(child) }
        case .exit(let id):
            if let child = children[id] { exited(child) }
        }
    }

    private func write(_ child: Child) {
        guard child.process != nil, let input = child.pipes.input, !child.rules.unwritten.isEmpty else { return }
        switch input.writeAvailable(child.rules.unwritten) {
        case .bytes(let count): child.rules.wrote(count)
        case .wouldBlock: break
        case .ended: perform(child.rules.inputBroken(now: clock.now), child)
        }
    }

    /// Passes all available output to the protocol at once, so that a second line is seen together
    /// with the first.
    private func readOutput(_ child: Child) {
        guard child.process != nil, let output = child.pipes.output else { return }
        var count = 0
        var last = FileDescriptor.Transfer.wouldBlock
        while count < scratch.count {
            last = output.readAvailable(into: &scratch, from: count)
            guard case .bytes(let more) = last else { break }
            count += more
        }
        let now = clock.now
        if count > 0 { perform(child.rules.received(scratch[..<count], now: now), child) }
        guard last == .ended else { return }
        child.pipes.closeOutput()
        perform(child.rules.outputEnded(now: now), child)
    }

    private func readErrors(_ child: Child) {
        guard let error = child.pipes.error else { return }
        switch error.readAvailable(into: &scratch) {
        case .bytes(let count): child.errors.append(scratch[..<count]).forEach(loop.configuration.log)
        case .wouldBlock: break
        case .ended: child.pipes.closeError()
        }
    }

    /// The process is a zombie: its output is in the pipes, and its group may still be signalled.
    private func exited(_ child: Child) {
        readOutput(child)
        readErrors(child)
        perform(child.rules.exited(), child)
        if !child.isDismissed { lost += 1 }
        child.signal(.kill)
        child.process?.mayBeReaped.finish()
        child.process = nil
    }

    private func perform(_ steps: [ChildProtocol.Step], _ child: Child) {
        for step in steps {
            switch step {
            case .answer(let line): reply(.success(line), child)
            case .fail(let failure): reply(.failure(failure), child)
            case .askFresh:
                guard var question = child.question else { continue }
                question.mustBeFresh = true
                child.question = nil
                waiting.insert(question, at: 0)
            case .free: idle.append(child.id)
            case .closeInput: child.pipes.closeInput()
            case .terminate: child.signal(.terminate)
            case .kill: child.signal(.kill)
            case .complain(let message):
                loop.configuration.log("stopped a child: it \(message)")
                loop.counts.withLock { $0.breaches += 1 }
            }
        }
    }

    private func noteSilence(_ reply: Question.Reply) {
        switch reply {
        case .success:
            hasAnswer = true
            warnAt = nil
        case .failure(let failure):
            if failure.code == .timeout, !hasAnswer, !hasWarned { warnOfSilence() }
            // A child that ends without an answer has a dead letter that says more.
            if failure.code != .timeout { warnAt = nil }
        }
    }

    /// Warns once if no child ever answers. The usual mistake is a child that doesn't flush its
    /// output.
    private func warnOfSilence() {
        warnAt = nil
        hasWarned = true
        let bounds = loop.configuration.bounds
        let fix = bounds.timeout == nil ? "without a timeout, the run waits for as long as it takes" : "one that is slow to start needs a start_timeout"
        loop.configuration.log(
            "no child has answered yet; a child must flush its output after each line (flush=True, sed -u, jq --unbuffered, stdbuf -oL), and \(fix)")
    }

    private func reply(_ reply: Question.Reply, _ child: Child) {
        guard let question = child.question else { return }
        noteSilence(reply)
        child.question = nil
        let busy = clock.now - child.askedAt
        loop.counts.withLock { counts in
            counts.busy += busy
            guard case .failure(let failure) = reply else { return }
            if failure.code == .timeout { counts.timeouts += 1 }
            if failure.code == .breach { counts.breaches += 1 }
        }
        question.reply.resume(returning: reply)
    }
}
