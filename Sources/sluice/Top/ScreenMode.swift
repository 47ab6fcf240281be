import Glibc
import Synchronization

/// A terminal that shows a screen of its own and gives every key at once, until it is left. Leaving
/// puts everything back, and may be done again.
final class ScreenMode: Sendable {
    private let saved: Mutex<termios?>
    private let input: Int32
    private let output: Terminal

    /// - Parameters: of the same terminal.
    /// - Returns: `nil` if it is none.
    init?(input: Int32, output: Terminal) {
        var settings = termios()
        guard output.takesCodes, tcgetattr(input, &settings) == 0 else { return nil }
        saved = Mutex(nil)
        (self.input, self.output) = (input, output)
    }

    func enter() {
        saved.withLock { saved in
            guard saved == nil else { return }
            var settings = termios()
            guard tcgetattr(input, &settings) == 0 else { return }
            saved = settings
            // Without echo, lines and signals of keys; line feeds stay as they are written.
            cfmakeraw(&settings)
            tcsetattr(input, TCSAFLUSH, &settings)
            // Another screen, no cursor, no wrapping of lines that a terminal takes for longer.
            output.write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J")
        }
    }

    func leave() {
        saved.withLock { saved in
            guard var settings = saved else { return }
            saved = nil
            output.write("\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
            tcsetattr(input, TCSAFLUSH, &settings)
        }
    }

    deinit { leave() }
}
