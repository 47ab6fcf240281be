import FoundationEssentials
import Glibc
import SluiceDefinition
import SluiceRecords

/// `--split`: large inputs are divided into pieces of about this size.
struct Splitting {
    static let help = "such as 256MiB; the plan then reads these files once. (default: none)"

    private let size: UInt64?

    /// - Parameter text: the option's value.
    /// - Returns: `nil` if it is not a size, or too small.
    init?(_ text: String?) {
        guard let text else {
            size = nil
            return
        }
        guard let bytes = Amounts.size(text), bytes >= 1 << 20 else { return nil }
        size = UInt64(bytes)
    }

    static let problem = "'--split' must be a size of at least 1MiB: \(Amounts.sizeFix)."

    /// The number of pieces of inputs with these sizes.
    func pieces(_ sizes: [UInt64]) -> Int {
        guard let size else { return sizes.count }
        return sizes.reduce(0) { $0 + max(1, Int($1 / size)) }
    }

    /// The places where an input is to be divided. Warns if it is large and has none.
    func cuts(of input: InputFile, in pipeline: RecordPipeline) throws(InputError) -> [InputCut] {
        guard let size, let whole = input.size, whole > size else { return [] }
        let cuts = try Self.withOwnFolder { (spill) throws(InputError) in try pipeline.cuts(of: input, every: size, folder: spill) }
        if cuts.isEmpty {
            let reason = pipeline.obstacleToCuts ?? "there is no place in it, or too few, where decompression can begin"
            Log.warning("'\(input.path)' is not divided: \(reason)")
        }
        return cuts
    }

    /// Calls `body` with a new folder for temporary files, which no other user can enter, and
    /// removes it.
    private static func withOwnFolder<Result>(_ body: (String) throws(InputError) -> Result) throws(InputError) -> Result {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(parent)/sluice-plan-XXXXXX".utf8CString)
        guard let folder = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap(mkdtemp).map { String(cString: $0) } }) else {
            throw .spill(path: parent, reason: "a temporary folder cannot be created there: \(String(cString: strerror(errno)))")
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }
}
