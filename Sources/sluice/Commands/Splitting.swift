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
        let cuts = try pipeline.cuts(of: input, every: size)
        if cuts.isEmpty {
            let reason = pipeline.obstacleToCuts ?? "there is no place in it, or too few, where decompression can begin"
            Log.warning("'\(input.path)' is not divided: \(reason)")
        }
        return cuts
    }
}
