extension RunReport: CustomStringConvertible {
    /// A readable table of the counts.
    public var description: String {
        let all = records
        var lines = [
            "\(status.rawValue): read \(all.read), written \(all.written), filtered \(all.filtered), dead \(all.dead), "
                + "in \(Double(Int(elapsedSeconds * 100)) / 100) seconds"
        ]
        for stage in stages {
            var line = "  \(stage.name): in \(stage.in), out \(stage.out)"
            let others = [
                ("filtered", stage.filtered), ("dead", stage.dead), ("added", stage.added), ("absorbed", stage.absorbed),
                ("retries", stage.retries), ("timeouts", stage.timeouts),
            ]
            for (name, count) in others where count > 0 { line += ", \(name) \(count)" }
            lines.append(line)
        }
        for input in inputs {
            for damage in input.damage { lines.append("  damage: \(damage.kind) at \(input.file)@\(damage.offset)") }
        }
        if !balanced { lines.append("  the ledger does not balance") }
        return lines.joined(separator: "\n")
    }
}
