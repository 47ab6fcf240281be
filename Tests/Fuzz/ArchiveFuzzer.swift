import Foundation
import SluiceCEL

@testable import SluiceRecords

/// Reads bytes as a tar archive, twice, in pieces of different sizes.
///
/// What is read must not depend on the pieces. Records are within their batch and its limit. Names
/// begin with that of the archive, and no file is read twice under one name. Of an archive that is
/// not compressed, joining what came out of a file, was set aside or is on record as lost must give
/// back the file, and what the archive has lost lies outside of files, and not twice.
struct ArchiveFuzzer: Fuzzer {
    static let name = "archive"

    private let folder = NSTemporaryDirectory() + "sluice-fuzz-\(ProcessInfo.processInfo.processIdentifier)"

    var seeds: [[UInt8]] {
        let text = Array("one\ntwo\n".utf8)
        let file = Self.entry("a.log", text)
        let packed = Self.entry("b.log.gz", Self.gzip)
        let long = Self.entry("././@LongLink", Array("folder/\(String(repeating: "n", count: 120))\0".utf8), type: "L") + file
        let pax = Self.entry("x", Array("19 path=folder/x.log\n".utf8), type: "x") + file
        let size = Self.entry("x", Array("11 size=513\n".utf8), type: "x") + file + [UInt8](repeating: 0x61, count: 512)
        let sparse = Self.entry("x", Array("22 GNU.sparse.major=1\n".utf8), type: "x") + file
        let link = Self.entry("l", [], type: "1") + Self.entry("d/", [], type: "5") + Self.entry("s", [], type: "S")
        let all = [file, packed, long, pax, size, sparse, link + file, file + file, file + packed + Self.entry("./a.log", text)]
        let whole = all.map { $0 + Self.end }
        let joined = whole + [whole[0] + whole[1], Array(whole[0].dropLast(700)), Self.entry("", text) + Self.end]
        return joined.flatMap { archive in [[0, 40] + archive, [0x40, 200] + archive] }
    }

    func run(_ bytes: [UInt8]) {
        guard bytes.count > 2 else { return }
        var configuration = BatchReader.Configuration(spillFolder: folder)
        configuration.framing = bytes[0] & 1 == 0 ? .lines : .documents(path: [])
        configuration.onDamage = bytes[0] & 0x40 == 0 ? .salvage : .setAside
        configuration.library = bytes[0] & 0x80 == 0 ? .isal : .zlib
        configuration.maxRecord = bytes[1] < 128 ? 8 + Int(bytes[1]) : 1 << 20
        // Mutations seldom make a valid checksum.
        let input = bytes[0] & 2 == 0 ? Self.summed(Array(bytes.dropFirst(2))) : Array(bytes.dropFirst(2))
        let whole = read(input, configuration, piece: .max)
        let pieces = read(input, configuration, piece: 1 + Int(bytes[1]) % 7)
        require(whole.found == pieces.found, "read in pieces: \(pieces)\nat once: \(whole)")
        if whole.found.error == nil { check(whole, of: input, configuration.framing) }
    }

    private struct ReadArchive {
        var found = ReadInput()
        /// What was found in each file, by its name in the archive.
        var files: [[UInt8]: ReadInput] = [:]
    }

    private func check(_ archive: ReadArchive, of input: [UInt8], _ framing: Framing) {
        let bytes = PieceBytes(input, .max)
        let window = InputWindow { bytes.read(into: $0) }
        guard Compression.detect(in: window, name: "in.tar", readsArchives: true).isNone else { return }
        let tar = TarText(PlainText(window: window, size: bytes.size), path: "in.tar")
        var (names, textCount): ([[UInt8]: Int], UInt64) = ([:], 0)
        var lost: [Range<UInt64>] = []
        while let entry = try? tar.next() {
            lost += tar.takeDamage().map { $0.offset..<$0.offset + $0.lostBytes }
            let name = Array("in.tar/\(entry.name)".utf8)
            names[name, default: 0] += 1
            let file = EntryBytes(tar)
            let (start, inside) = (tar.position, InputWindow { file.read(into: $0) })
            guard Compression.detect(in: inside, name: "in.tar/\(entry.name)").isNone else { return }
            let account = TextAccount(of: EntryText(file, in: inside))
            require(account.text.elementsEqual(input[Int(start)...].prefix(account.text.count)), "not the bytes of the archive")
            lost += account.damage.filter { $0.kind != .readError }.map { $0.offset..<$0.offset + $0.lostBytes }
            lost.append(start..<tar.position)
            textCount += UInt64(account.text.count)
            if names[name] == 1, let found = archive.files[name] { account.check(found, framing, isArchived: true) }
        }
        lost += tar.takeDamage().map { $0.offset..<$0.offset + $0.lostBytes }
        require(archive.found.summary?.textBytes == textCount, "\(textCount) bytes of text, \(archive.found.summary?.textBytes ?? 0) in the books")
        var end: UInt64 = 0
        for range in lost.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
            require(range.lowerBound >= end, "lost twice, or delivered: \(lost)")
            end = range.upperBound
        }
    }

    private func read(_ input: [UInt8], _ configuration: BatchReader.Configuration, piece: Int) -> ReadArchive {
        var (found, files): (ReadInput, [[UInt8]: ReadInput]) = (ReadInput(), [:])
        let file = InputFile(path: "in.tar", size: UInt64(input.count))
        do throws(InputError) {
            var unsound = UnsoundMembers()
            if configuration.onDamage == .setAside {
                unsound = try configuration.unsoundMembers(of: file, in: PieceBytes(input, piece), as: Archive())
            }
            let reader = try ArchiveReader(
                file, of: PieceBytes(input, piece), as: Archive(), index: 0, configuration: configuration, buffers: BufferPool(capacity: 4096, most: 2),
                unsound: unsound)
            defer { reader.close() }
            var names: [RecordFields.InputName] = []
            while let batch = try reader.next() {
                let read = found.add(batch, maxRecord: configuration.maxRecord)
                if let name = batch.name { files[Array(name.text.utf8), default: ReadInput()].add(read) }
                guard let name = batch.name, names.last?.text.isSame(as: name.text) != true else { continue }
                require(name.text.hasPrefix("in.tar/"), "a file without its archive's name: \(name.text)")
                require(!names.contains { $0.text.isSame(as: name.text) }, "two files of one name: \(name.text)")
                names.append(name)
            }
            found.summary = reader.summary
        } catch {
            found.error = error
        }
        return ReadArchive(found: found, files: files)
    }

    private static let end = [UInt8](repeating: 0, count: 1024)
    /// `one\ntwo\n`, compressed by gzip.
    private static let gzip: [UInt8] = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 0xcb, 0xcf, 0x4b, 0xe5, 0x2a, 0x29, 0xcf, 0xe7, 2, 0, 0x96, 0xc5, 0xce, 3, 8, 0, 0, 0,
    ]

    private static func entry(_ name: String, _ data: [UInt8], type: Character = "0") -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) { block.replaceSubrange(place..<place + text.utf8.count, with: text.utf8) }
        put(name, at: 0)
        put("0000644\u{0}0000000\u{0}0000000\u{0}", at: 100)
        put(octal(data.count, digits: 11), at: 124)
        put("14720000000\u{0}", at: 136)
        block[156] = type.asciiValue ?? 0
        put("ustar\u{0}00", at: 257)
        return summed(block) + data + [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    private static func octal(_ number: Int, digits: Int) -> String {
        let text = String(number, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The archive with right checksums in all headers that its sizes lead to.
    private static func summed(_ archive: [UInt8]) -> [UInt8] {
        var archive = archive
        var start = 0
        while start + 512 <= archive.count {
            defer { start += 512 }
            guard archive[start] != 0 else { continue }
            archive.replaceSubrange(start + 148..<start + 156, with: repeatElement(0x20, count: 8))
            let sum = archive[start..<start + 512].reduce(0) { $0 + Int($1) }
            archive.replaceSubrange(start + 148..<start + 155, with: Array("\(octal(sum, digits: 6))\u{0}".utf8))
            let size = String(decoding: archive[start + 124..<start + 135], as: UTF8.self)
            if let size = Int(size, radix: 8), size >= 0 { start += (size + 511) / 512 * 512 }
        }
        return archive
    }
}
