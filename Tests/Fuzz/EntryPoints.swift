import Foundation

// libFuzzer's own `main` calls these functions. Which fuzzer runs is chosen by SLUICE_FUZZER; with
// SLUICE_FUZZ_SEEDS, its seeds are written to that folder, and nothing else is done.

nonisolated(unsafe) private var fuzzer: (any Fuzzer)?

@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer) -> CInt {
    let environment = ProcessInfo.processInfo.environment
    let name = environment["SLUICE_FUZZER"] ?? ""
    guard let type = Fuzzers.all.first(where: { $0.name == name }) else {
        print("SLUICE_FUZZER names one of: \(Fuzzers.all.map { $0.name }.joined(separator: " "))")
        exit(2)
    }
    let chosen = type.init()
    if let folder = environment["SLUICE_FUZZ_SEEDS"] {
        for (number, seed) in chosen.seeds.enumerated() {
            require(FileManager.default.createFile(atPath: "\(folder)/seed-\(number)", contents: Data(seed)), "cannot write to \(folder)")
        }
        exit(0)
    }
    fuzzer = chosen
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzzer?.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
