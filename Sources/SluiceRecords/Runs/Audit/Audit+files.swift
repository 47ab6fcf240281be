import Glibc
import SluiceCEL

/// The files, read again.
extension Audit {
    /// Counts the records of an input, and compares the dead letters with their bytes there.
    mutating func reread(_ input: RunReport.Input, _ framings: RunReport.Framings?, _ letters: LetterPlaces) throws(RunError) {
        guard input.file != "-" else {
            suspect = nil
            return skip("standard input cannot be read again")
        }
        guard !isUnreadable(input.file) else {
            suspect = nil
            return skip("\(input.file) is a device or a pipe, and cannot be read again")
        }
        if let ends = input.ends {
            compare(input.file, "sha256 of its first and last 4 KiB", ends, InputStamp(InputFile(path: input.file))?.ends ?? "no such file")
        }
        if let version = input.version { try compareVersion(of: input.file, version) }
        let isWhole = input.whole
        if !isWhole {
            suspect = nil
            skip("\(input.file) was not read to its end by the run")
            guard letters.areOf(input) || input.records > 0 else { return }
        }
        let encoding = framings?.encoding.flatMap { TextEncoding(rawValue: $0) } ?? .utf8
        do throws(InputError) {
            let comparison = letters.comparison(of: input)
            var records = 0
            let summary = try read(
                input.file, framings?.inputFraming ?? .lines, isInput: true, maxRecord: framings?.maxRecord, encoding: encoding, archive: framings?.inputArchive
            ) { (batch) throws(InputError) in
                try comparison?.compare(batch)
                records += batch.frames.count + batch.spilled.count
                return isWhole || comparison?.isDone == false || records < input.records
            }
            guard isWhole else { return compare(input.file, "records, at least", input.records, min(records, input.records)) }
            suspect = suspect.map { $0 + summary.suspect }
            compare(input.file, "bytes", input.bytes, summary.bytes)
            compare(input.file, "members", input.members, summary.members)
            compare(input.file, "records", UInt64(input.records), summary.records + summary.spilled)
            if let archive = input.archive {
                compare(input.file, "files in the archive", archive.files, summary.archive?.files ?? 0)
                let others = summary.archive.map { $0.excluded + $0.skipped.values.reduce(0, +) } ?? 0
                compare(input.file, "other entries of the archive", archive.excluded + archive.skipped.values.reduce(0, +), others)
            }
            compare(input.file, "damage", Self.words(input.damage), Self.words(summary.damage.map(RunReport.DamageRecord.init)))
            if summary.lacksChecksum == true {
                // Reports of earlier versions do not say so.
                if input.note != nil { compare(input.file, "note", input.note, summary.note) }
                leaveUnproved("that \(input.file) is as it was compressed: it has no checksums")
            } else {
                compare(input.file, "note", input.note ?? "none", summary.note ?? "none")
            }
        } catch {
            suspect = nil
            try fail(input.file, error)
        }
    }

    /// Compares the number of suspect records. Where those of damaged members are dead letters,
    /// none is left.
    mutating func compareSuspect(of report: RunReport) {
        guard let suspect else { return leaveUnproved("the number of suspect records, since not all inputs can be read again") }
        // Reports of earlier versions say it only by their dead letters.
        let areSetAside = report.framing?.setAside == true || report.deadLetters.byCode["record.suspect"] != nil
        compare("run", "suspect records", UInt64(clamping: report.records.suspect), areSetAside ? 0 : suspect)
    }

    /// Every figure of each damaged place.
    private static func words(_ damage: [RunReport.DamageRecord]) -> String {
        let places = damage.map { place in
            let file = place.file.map { " of '\($0)'" } ?? ""
            return "\(place.kind) at \(place.offset)\(file) in member \(place.member), \(place.lostBytes) bytes and \(place.lostText) of text lost"
        }
        return places.isEmpty ? "none" : places.joined(separator: "; ")
    }

    private mutating func compareVersion(of address: String, _ version: String) throws(RunError) {
        do throws(InputError) {
            compare(address, "ETag or modification time", version, try InputFiles.named(address).version ?? "none")
        } catch {
            try fail(address, error)
        }
    }

    mutating func reread(_ output: RunReport.Output, _ framing: Framing) throws(RunError) {
        if output.file == "-" { return skip("standard output cannot be read again") }
        if case .file(size: nil) = PathKind.of(output.file) { return skip("\(output.file) is a device or a pipe, and cannot be read again") }
        if let table = output.table { return try reread(output, table) }
        do throws(InputError) {
            // The reader gives up on an unclosed quote after `maxRecord` bytes. Written output has
            // none, so the limit may exceed any record. Its bytes may begin like those of an
            // archive.
            let isPlain = FileName(output.file).codec == nil
            let summary = try read(output.file, framing, maxRecord: framing == .lines ? nil : 1 << 30, isPlain: isPlain) { _ in true }
            compare(output.file, "bytes", output.bytes, summary.bytes)
            compare(output.file, "records", UInt64(output.records), summary.records + summary.spilled)
            compare(output.file, "damage", 0, summary.damage.count)
            compare(output.file, "sha256", output.sha256, try Digest.ofFile(output.file))
        } catch {
            try fail(output.file, error)
        }
    }

    private mutating func reread(_ output: RunReport.Output, _ table: String) throws(RunError) {
        do throws(InputError) {
            compare(output.file, "bytes", output.bytes, try InputDescriptor(InputFile(path: output.file)).size ?? 0)
            compare(output.file, "sha256", output.sha256, try Digest.ofFile(output.file))
        } catch {
            return try fail(output.file, error)
        }
        do throws(SQLiteDatabase.Fault) {
            let database = try SQLiteDatabase(output.file, .reading)
            // A run without records may have had no columns to make a table of.
            let count = try database.tables().containsSame(as: table) ? database.count(of: table) : 0
            compare(output.file, "records", output.records, count)
        } catch {
            compare(output.file, "the database", "readable", error.message)
        }
    }

    /// Reads the dead letters and compares their counts.
    ///
    /// - Returns: their places in the inputs, for the comparison of their bytes.
    mutating func reread(_ reported: RunReport.DeadLetters, of report: RunReport) throws(RunError) -> LetterPlaces {
        if reported.file == "-" || isUnreadable(reported.file) {
            skip("the dead letters in \(reported.file) cannot be read again")
            return LetterPlaces()
        }
        var letters = LetterPlaces(of: report)
        do throws(InputError) {
            var records: UInt64 = 0
            let isPlain = FileName(reported.file).codec == nil
            let summary = try read(reported.file, isPlain: isPlain) { (batch) throws(InputError) in
                for letter in batch.spilled { try letters.add(long: letter) }
                for frame in batch.frames {
                    let line = UnsafeBufferPointer(start: UnsafePointer(batch.bytes.start) + Int(frame.start), count: Int(frame.count))
                    letters.add(line, of: reported.file, number: batch.line + UInt64(frame.lineDelta))
                }
                records += UInt64(batch.frames.count + batch.spilled.count)
                return true
            }
            compare(reported.file, "dead letters", UInt64(reported.records), records)
            if let bytes = reported.bytes { compare(reported.file, "bytes", bytes, summary.bytes) }
            if summary.damage.count > 0 { compare(reported.file, "damage", 0, summary.damage.count) }
        } catch {
            try fail(reported.file, error)
        }
        if let sha256 = reported.sha256 { try compareDigest(of: reported.file, sha256) }
        letters.compareCounts(&self, report)
        return letters
    }

    private func isUnreadable(_ path: String) -> Bool {
        if case .file(size: nil) = PathKind.of(path) { true } else { false }
    }
}
