import SluiceCEL

// Options of the source that change how its format reads.
extension SourceSettings {
    /// Joins lines before the format reads them.
    ///
    /// - Parameter options: `starts` or `continues`.
    /// - Returns: `false` if that was reported as impossible.
    package mutating func join(linesOf options: Arguments, _ checking: inout Checking) -> Bool {
        let given = Multiline.Lines.allCases.compactMap { kind in options[kind.rawValue]?.leaf.map { (kind, $0) } }
        guard given.count == 1, let (kind, leaf) = given.first else {
            checking.report("multiline: give one of 'starts' and 'continues'", at: options.place, fix: "write multiline: {starts: '^[0-9]{4}-'}")
            return false
        }
        switch format.framing {
        case .lines, .syslog: break
        default:
            checking.report("multiline: the format '\(format.name)' finds the ends of its records itself", at: options.place, fix: "remove 'multiline'")
            return false
        }
        guard leaf.isComplete else { return false }
        do throws(PatternError) {
            multiline = Multiline(kind, try Pattern(leaf.text))
        } catch {
            checking.report(
                "multiline: '\(kind.rawValue)' is not a regular expression: \(error.message)", at: leaf.place,
                fix: "RE2's syntax: https://github.com/google/re2/wiki/Syntax")
            return false
        }
        format = format.joiningLines
        return true
    }

    /// Reads the inputs as archives of files.
    ///
    /// - Parameters:
    ///   - archive: the kind of archive.
    ///   - excluded: patterns of files in it to leave out.
    /// - Returns: `false` if that was reported as impossible.
    package mutating func unpack(_ archive: Leaf, excluding excluded: Argument?, _ checking: inout Checking) -> Bool {
        guard archive.isComplete, Archive.Kind(rawValue: archive.text) != nil else { return false }
        let patterns = (excluded?.leaves ?? []).filter(\.isComplete).map(\.text)
        // A pattern that is not valid is reported with the files.
        self.archive = (try? Archive(excluding: patterns)) ?? Archive()
        return true
    }

    /// Sets what times of the format lack.
    ///
    /// - Returns: `false` if something was reported.
    package mutating func complete(year: (value: Int, place: TextPlace)?, zone: Leaf?, _ checking: inout Checking) -> Bool {
        guard year != nil || zone != nil else { return true }
        guard let dated = format as? any DatedFormat else {
            let others = Formats.all.filter { $0 is any DatedFormat.Type }.map { $0.name }.joined(separator: ", ")
            checking.report(
                "'\(year == nil ? "zone" : "year")' is for times that may lack one, which those of '\(format.name)' never do", at: year?.place ?? zone?.place,
                fix: "remove it; it is for: \(others)")
            return false
        }
        var defaults = TimeDefaults(year: year?.value)
        if let zone, zone.isComplete {
            guard let seconds = TimeDefaults.zone(zone.text) else {
                checking.report("zone: '\(zone.text)' is not an offset from UTC", at: zone.place, fix: "write it like '+02:00' or 'Z'")
                return false
            }
            defaults.zone = seconds
        }
        format = dated.completed(by: defaults)
        return true
    }
}
