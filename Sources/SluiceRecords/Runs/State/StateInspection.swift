import FoundationEssentials
import Glibc

/// Looks at a state folder that other processes use, without getting in their way.
package enum StateInspection {
    /// Whether a process on this machine holds the folder for a run.
    ///
    /// Looks for the lock among the system's: trying to take it would refuse a run that begins at
    /// that moment.
    package static func isRunning(_ folder: String) -> Bool {
        var file = stat()
        guard stat("\(folder)/\(RunList.name)", &file) == 0, let locks = FileManager.default.contents(atPath: "/proc/locks") else { return false }
        return isLocked(inode: UInt64(file.st_ino), in: String(decoding: locks, as: UTF8.self))
    }

    /// Whether the last run of the folder was cut short and has left a checkpoint.
    package static func hasCheckpoint(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(StateFolder.checkpoint)")
    }

    /// Whether a run has ended there before all its outputs were in place, or while they were put
    /// there.
    package static func isPublishing(_ folder: String) -> Bool {
        if case .missing = PathKind.of("\(folder)/\(Journal.name)") { false } else { true }
    }

    /// - Parameter locks: as in `/proc/locks`: `1: FLOCK  ADVISORY  WRITE 812 fe:01:131 0 EOF`. The
    ///   device is that of the file system, which is not always the one of the file.
    static func isLocked(inode: UInt64, in locks: String) -> Bool {
        locks.split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.count > 5 && words[1] == "FLOCK" && words[3] == "WRITE" && words[5].split(separator: ":").last.flatMap { UInt64($0) } == inode
        }
    }
}
