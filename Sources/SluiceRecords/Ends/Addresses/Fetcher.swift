import FoundationEssentials
import Sluice
import SluiceCEL
import Synchronization

/// Lists and reads what is behind addresses.
///
/// Python does that, since its packages know the services and how to be let in; see `fetch.py`.
/// Starting it takes up to a second, so a process is kept for the next request. There are as many
/// as objects that are open at the same time.
package final class Fetcher: Sendable {
    package static let shared = Fetcher()

    private let idle = Locked<[FetchProcess]>([])

    private init() {}

    /// The object at an address, or those that match a pattern; in any order.
    func list(_ address: String) throws(InputError) -> [InputFile] {
        var patterns: [String] = []
        if NamePattern.isPattern(address) {
            for pattern in try Braces.expand(address) {
                // Checks it.
                _ = try GlobWalk(pattern: pattern, of: address)
                patterns.append(String(decoding: pattern, as: UTF8.self))
            }
        }
        let found = try ask(FetchRequest(op: .list, name: address, patterns: patterns), for: address)
        guard !found.isEmpty else { throw .noMatch(pattern: address) }
        return found.map { InputFile($0, at: address) }
    }

    /// The objects at these addresses as they are now.
    ///
    /// - Throws: if the process fails.
    func objects(at addresses: [String]) throws(InputError) -> [Result<InputFile, InputError>] {
        guard let first = addresses.first else { return [] }
        let found = try ask(FetchRequest(op: .stat, names: addresses), for: first)
        guard found.count == addresses.count else { throw FetchFailure.processEnded.error(of: first) }
        return zip(addresses, found).map { address, object in
            object.failure.map { .failure($0.error(of: address)) } ?? .success(InputFile(object, at: address))
        }
    }

    /// - Parameter file: as it was listed; what has changed since is not read.
    func open(_ file: InputFile, at offset: UInt64) throws(InputError) -> ObjectBytes {
        let file = file.version == nil ? try objects(at: [file.path])[0].get() : file
        let request = FetchRequest(op: .read, name: file.path, size: file.size, version: file.version, offset: offset)
        return ObjectBytes(file, at: offset, from: try begin(request, for: file.path), of: self)
    }

    /// Keeps a process whose answer was read to its end.
    func keep(_ process: FetchProcess) { idle.withLock { $0.append(process) } }

    /// Ends the processes that are kept.
    package func endIdle() {
        let ended = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        for process in ended { process.end() }
    }

    private func begin(_ request: FetchRequest, for address: String) throws(InputError) -> FetchProcess {
        // One that was kept may have been killed.
        while let process = idle.withLock({ $0.popLast() }) {
            if process.send(request) { return process }
            process.end()
        }
        let process = try FetchProcess(for: address)
        guard process.send(request) else { throw FetchFailure.processEnded.error(of: address) }
        return process
    }

    /// Reads an answer of lines.
    private func ask(_ request: FetchRequest, for address: String) throws(InputError) -> [FetchedObject] {
        let process = try begin(request, for: address)
        var bytes: [UInt8] = []
        while let frame = process.nextFrame() {
            switch frame {
            case .data(let count):
                guard let more = process.bytes(count) else { throw FetchFailure.processEnded.error(of: address) }
                bytes += more
            case .end(let failure):
                keep(process)
                if let failure { throw failure.error(of: address) }
                do {
                    return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(FetchedObject.self, from: Data($0)) }
                } catch {
                    throw .fetch(address: address, reason: "the Python process answers with something else: \(error)")
                }
            }
        }
        throw FetchFailure.processEnded.error(of: address)
    }
}

extension InputFile {
    fileprivate init(_ object: FetchedObject, at address: String) {
        self.init(path: object.name ?? address, size: object.size, version: object.version)
    }
}
