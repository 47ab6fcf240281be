import Glibc

/// The child processes that this process starts from now on, as known to the system.
public struct ChildProcesses: Sendable {
    /// Children of a shell that has become this process by `exec`: not ours.
    private let inherited: Set<pid_t>

    public init() {
        inherited = Self.hasAny ? Set(Self.children(of: getpid())) : []
    }

    /// Whether this process has children, at the cost of one system call.
    private static var hasAny: Bool {
        var information = siginfo_t()
        return waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD
    }

    /// Kills all of them, and the processes they have started that are still in their process
    /// groups: for an immediate exit.
    ///
    /// Without this, a child that works on a record would continue, since it notices the end of its
    /// input only when it is done. The children are found in `/proc`, so that none is missed that
    /// was just started; the search is repeated, at most a few times, until it finds no new ones.
    public func killAll() {
        var known = inherited
        for _ in 0..<8 {
            let found = Self.children(of: getpid()).filter { known.insert($0).inserted }
            if found.isEmpty { return }
            for child in found {
                kill(-child, SIGKILL)
                kill(child, SIGKILL)
            }
        }
    }

    private static func children(of parent: pid_t) -> [pid_t] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var children: [pid_t] = []
        while let entry = readdir(folder) {
            guard let child = entry.name.flatMap({ pid_t($0) }), self.parent(of: child) == parent else { continue }
            children.append(child)
        }
        return children
    }

    /// `nil` if the process no longer exists.
    private static func parent(of process: pid_t) -> pid_t? {
        let descriptor = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(descriptor, &bytes, bytes.count)
        // `17 (a name) S 1 …`: the name may contain anything, including parentheses.
        guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)..<count].split(separator: UInt8(ascii: " "))
        return fields.count > 1 ? pid_t(String(decoding: fields[1], as: UTF8.self)) : nil
    }
}
