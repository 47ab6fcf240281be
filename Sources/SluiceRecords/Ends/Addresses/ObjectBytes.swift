import Glibc
import Sluice
import Synchronization

/// The bytes of an object behind an address, as a ``FetchProcess`` sends them.
///
/// `@unchecked Sendable`: called by one job at a time, except for ``interrupt()``.
final class ObjectBytes: InputBytes, @unchecked Sendable {
    let size: UInt64?
    let readsAnywhere = false
    private(set) var failure: InputError?
    private let address: String
    private let fetcher: Fetcher
    /// `nil` once the answer was read to its end.
    private var process: FetchProcess?
    /// The bytes that are left of a frame, and of the object.
    private var inFrame = 0
    private var missing: UInt64
    private let isInterrupted = Atomic<Bool>(false)
    private let wake = WakePipe()

    /// - Parameter process: was asked for the object.
    init(_ file: InputFile, at offset: UInt64, from process: FetchProcess, of fetcher: Fetcher) {
        (address, size, self.process, self.fetcher) = (file.path, file.size, process, fetcher)
        missing = (file.size ?? 0) - min(offset, file.size ?? 0)
    }

    deinit { close() }

    func close() {
        process?.end()
        process = nil
    }

    func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
        while let process {
            if isInterrupted.load(ordering: .relaxed) { return Int(-ECANCELED) }
            if let wake, !wake.waits(for: process.output) { continue }
            if inFrame > 0 {
                let count = process.read(into: UnsafeMutableRawBufferPointer(rebasing: memory.prefix(inFrame)))
                guard count > 0 else { return fail(.processEnded) }
                guard count <= missing else { return fail(FetchFailure(kind: "failed", reason: "more bytes came than it has")) }
                inFrame -= count
                missing -= UInt64(count)
                return count
            }
            switch process.nextFrame() {
            case .data(let count): inFrame = count
            case .end(let failure?):
                finish()
                return fail(failure)
            case .end(nil):
                finish()
                if missing > 0 { return fail(FetchFailure(kind: "failed", reason: "its end came \(missing) bytes too early")) }
            case nil: return fail(.processEnded)
            }
        }
        return failure == nil ? 0 : Int(-EIO)
    }

    private func finish() {
        if let process { fetcher.keep(process) }
        process = nil
    }

    private func fail(_ reason: FetchFailure) -> Int {
        failure = reason.error(of: address)
        close()
        return Int(-EIO)
    }

    func interrupt() {
        isInterrupted.store(true, ordering: .relaxed)
        wake?.wake()
    }
}
