import Glibc
import Synchronization

/// The hidden name of an output that is being written: `.sluice-PID-START-NUMBER.part`, beside its
/// place.
///
/// The process and the moment of its start (in the kernel's ticks, field 22 of `/proc/PID/stat`)
/// tell whether its writer still lives, although numbers of processes are used again.
struct TemporaryName {
    let path: String

    private static let prefix = ".sluice-"
    private static let suffix = ".part"
    private static let count = Atomic(0)
    private static let own = "\(prefix)\(getpid())-\(startOfProcess(getpid()) ?? "0")-"

    static func next(besides path: String) -> TemporaryName {
        let folder = OutputFolders.folder(of: path)
        return TemporaryName(path: "\(folder)/\(own)\(count.add(1, ordering: .relaxed).newValue)\(suffix)")
    }

    /// Whether a name is one of these and its writer is dead.
    static func isLeftover(_ name: String) -> Bool {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return false }
        let parts = name.dropFirst(prefix.count).dropLast(suffix.count).split(separator: "-")
        guard parts.count == 3, let process = pid_t(parts[0]), process > 0 else { return false }
        return startOfProcess(process).map { $0 != parts[1] } ?? (kill(process, 0) != 0 && errno == ESRCH)
    }

    private static func startOfProcess(_ process: pid_t) -> String? {
        let descriptor = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        // The second field is a name in parentheses, which may hold anything.
        guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)..<count].split(separator: UInt8(ascii: " "))
        return fields.count > 19 ? String(decoding: fields[19], as: UTF8.self) : nil
    }
}
