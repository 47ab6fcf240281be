import FoundationEssentials
import Glibc
import Sluice
import SluiceCEL

/// Which dead letters replays have dealt with: `resolved-N` in the folder of replays for each of
/// them, with the hash of a letter in each line. It is published together with the outputs.
///
/// A letter is identified by its record's input, position and bytes, and by the route of its copy
/// if there are copies; not by its stage or error, which change if it fails again.
struct SettledLetters {
    private static let prefix = "resolved-"
    private let keys: SeenKeys

    static func name(_ number: Int) -> String { prefix + "\(number)" }

    /// The numbers of the replays whose records are in a folder.
    static func replays(in folder: String) throws(RunError) -> [Int] {
        guard let stream = opendir(folder) else {
            guard errno == ENOENT else { throw .report(path: folder, reason: "cannot be read: \(describe(error: errno))") }
            return []
        }
        defer { closedir(stream) }
        var numbers: [Int] = []
        while let entry = readdir(stream) {
            if let name = entry.name, name.hasPrefix(prefix), let number = Int(name.dropFirst(prefix.count)) { numbers.append(number) }
        }
        return numbers.sorted()
    }

    /// - Parameters:
    ///   - repeats: whether to begin without any.
    ///   - room: where letters are spilled to that exceed the memory.
    init(in folder: String, repeats: Bool, _ room: StageRoom) throws(RunError) {
        keys = SeenKeys(room)
        guard !repeats else { return }
        for number in try Self.replays(in: folder) { try read("\(folder)/\(Self.name(number))") }
    }

    private func read(_ path: String) throws(RunError) {
        var wrong: UInt64?
        let keys = keys
        try LineFile.forEachLine(of: path) { (line, number) throws(RunError) in
            guard let hash = Hash128(hexadecimal: line) else { return wrong = wrong ?? number }
            _ = try keys.insert([hash])
        }
        guard let wrong else { return }
        throw .report(path: "\(path):\(wrong)", reason: "not a hash; the file was changed. Without it, its dead letters would be replayed again")
    }

    /// - Returns: whether the letter was not among them.
    func insert(_ hash: Hash128) throws(RunError) -> Bool { try keys.insert([hash])[0] }
}

/// The dead letters that a running replay deals with, in a file that is published with its outputs.
final class SettledFile {
    private let path: String
    private let output: OutputSet

    init(_ replay: Replay, _ staging: Staging) {
        path = "\(replay.folder)/\(SettledLetters.name(replay.number))"
        output = OutputSet(staging: staging)
    }

    func add(_ hashes: [Hash128]) throws(OutputError) {
        let text = hashes.map { $0.hexadecimal + "\n" }.joined()
        try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(OutputError) in try output.append(bytes, records: hashes.count, to: path) }
    }

    func prepare() throws(OutputError) {
        try add([])
        try output.prepare()
    }

    var moves: [Journal.Move] { output.moves }
    func published() throws(OutputError) { try output.published() }
    func discard() { output.discard() }
    func leave() { output.leave() }
}

extension Hash128 {
    /// 32 hexadecimal digits.
    var hexadecimal: String {
        [high, low].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    init?(hexadecimal text: UnsafeBufferPointer<UInt8>) {
        let text = String(decoding: text, as: UTF8.self)
        guard text.utf8.count == 32, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }
}
