import Foundation
import SluiceCEL

@testable import SluiceRecords

/// Reads bytes as a table of lookup in each format, by values and by networks.
///
/// A table that is refused says why; of one that is not, the columns do not include the key.
struct TableFuzzer: Fuzzer {
    static let name = "table"

    private let folder: String
    /// Without those whose times get their years from records before them.
    private let formats = FormatFuzzer.formats.filter { YearCount($0) == nil }

    init() {
        folder = NSTemporaryDirectory() + "sluice-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    var seeds: [[UInt8]] {
        let texts = [
            "{\"a\":\"10.0.0.0/8\",\"b\":1}\n{\"a\":\"fe80::/10\",\"b\":[null]}\n", "a,b\n1,x\n\"2\",\n", "a;b\n::1/128;x\n", "a\tb\n192.0.2.1\t\\N\n",
            "a=1 b=x\na=2\n", "[{\"a\":1},\n{\"a\":1.0}]",
        ].map { Array($0.utf8) }
        return (0..<UInt8(formats.count)).flatMap { format in texts.flatMap { [[format, 0] + $0, [format, 1] + $0] } }
    }

    func run(_ bytes: [UInt8]) {
        guard bytes.count > 2 else { return }
        let format = formats[Int(bytes[0]) % formats.count]
        let key = bytes[1] & 1 == 0 ? LookupTable.Key.value("a") : .network("a")
        let file = folder + "/table"
        require(FileManager.default.createFile(atPath: file, contents: Data(bytes.dropFirst(2))), "cannot write to \(folder)")
        do throws(LookupTable.Fault) {
            let table = try LookupTable(file, format, key, selected: nil)
            require(!table.added.contains { $0.isSame(as: "a") }, "the key is added: \(table.added)")
        } catch {
            require(!error.message.isEmpty, "a fault without a message")
        }
    }
}
