import Glibc

/// The processes that this one starts from now on, as the system knows them.
public struct ChildProcesses: Sendable {
    /// Of a shell that has become this process by `exec`: none of ours.
    private let inherited: Set<pid_t>

    public init() {
        inherited = Set(Self.children(of: getpid()))
    }

    /// Kills all of them, and what they have started as far as it stayed in their process groups:
    /// for an end that waits for nothing.
    ///
    /// A child that works on a record would live on otherwise: it reads that its input has ended
    /// only when it is done. They are looked for in `/proc`, so that none is missed that was
    /// started this very moment; looked for again until there are no new ones, a few times at most.
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

    /// Nil where there is no such process any more.
    private static func parent(of process: pid_t) -> pid_t? {
        let descriptor = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(descriptor, &bytes, bytes.count)
        // `17 (a name) S 1 …`: the name may hold anything, parentheses too.
        guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)..<count].split(separator: UInt8(ascii: " "))
        return fields.count > 1 ? pid_t(String(decoding: fields[1], as: UTF8.self)) : nil
    }
}
