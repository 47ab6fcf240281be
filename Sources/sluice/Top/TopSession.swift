import Dispatch
import Glibc

/// Shows a view on a terminal until a key, a signal or the end of the input ends it.
struct TopSession {
    private enum Event: Sendable {
        case view(TopView.Event)
        case bytes([UInt8])
        case signal(Int32)
        case noInput
    }

    let watch: any RunWatch
    let notice: String?

    private static let ending = [Signals.interrupt, Signals.termination, Signals.hangUp, Signals.quit]
    private static let others = [SIGWINCH, SIGCONT, SIGTSTP]

    static var hasTerminal: Bool { isatty(STDIN_FILENO) == 1 && Terminal.output.takesCodes }

    /// - Returns: how it ended; `nil` if standard input or output is no terminal, or a dumb one.
    func run() async -> ExitStatus? {
        guard let mode = ScreenMode(input: STDIN_FILENO, output: .output) else { return nil }
        let (events, feed) = AsyncStream<Event>.makeStream()
        // Before the terminal is changed, so that no signal leaves it changed.
        let sources = (Self.ending + Self.others).map { Self.source(of: $0, feed) }
        let reading = Self.reading(feed)
        let watching = Task { for await event in watch.updates() { feed.yield(.view(event)) } }
        defer {
            watching.cancel()
            mode.leave()
            reading.cancel()
            for source in sources { source.cancel() }
        }
        mode.enter()
        return await show(events, feed, mode)
    }

    private func show(_ events: AsyncStream<Event>, _ feed: AsyncStream<Event>.Continuation, _ mode: ScreenMode) async -> ExitStatus {
        var view = TopView(isLive: watch.isLive, notice: notice)
        var keys = KeyReader()
        _ = view.handle(Self.size)
        draw(view)
        for await event in events {
            var commands: [TopView.Command] = []
            switch event {
            case .noInput: return .complete
            case .signal(SIGWINCH): _ = view.handle(Self.size)
            case .signal(SIGTSTP): commands.append(.suspend)
            case .signal(SIGCONT):
                mode.enter()
                _ = view.handle(Self.size)
            case .signal(let number): return .interrupted(signal: number)
            case .view(let event): _ = view.handle(event)
            case .bytes(let bytes): commands = keys.read(bytes).compactMap { view.handle(.key($0)) }
            }
            for command in commands {
                switch command {
                case .quit: return .complete
                case .interrupt: return .interrupted(signal: Signals.interrupt)
                case .suspend:
                    mode.leave()
                    // Until SIGCONT.
                    kill(getpid(), SIGSTOP)
                case .drain, .resize: Task { feed.yield(.view(.done(await watch.perform(command)))) }
                }
            }
            draw(view)
        }
        return .complete
    }

    private func draw(_ view: TopView) {
        let lines = TopScreen(view: view).lines
        let isColored = Terminal.output.isColored
        // Cleared first: after a line of full width, that would clear its last column.
        let text = lines.map { "\u{1B}[K" + $0.codes(isColored: isColored) }.joined(separator: "\r\n")
        Terminal.output.write("\u{1B}[H" + text)
    }

    private static var size: TopView.Event { .size(columns: Terminal.output.width, rows: Terminal.output.height) }

    private static func source(of signal: Int32, _ feed: AsyncStream<Event>.Continuation) -> any DispatchSourceSignal {
        let source = DispatchSource.makeSignalSource(signal: signal, queue: .global())
        source.setEventHandler { feed.yield(.signal(signal)) }
        let registered = DispatchSemaphore(value: 0)
        source.setRegistrationHandler { registered.signal() }
        source.activate()
        registered.wait()
        return source
    }

    private static func reading(_ feed: AsyncStream<Event>.Continuation) -> any DispatchSourceRead {
        let source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: .global())
        source.setEventHandler {
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = read(STDIN_FILENO, &bytes, bytes.count)
            if count > 0 {
                feed.yield(.bytes(Array(bytes[..<count])))
            } else if count == 0 || errno != EINTR && errno != EAGAIN {
                feed.yield(.noInput)
            }
        }
        source.activate()
        return source
    }
}
