import Sluice
import SluiceCEL

/// `redact`: masks, hashes or removes values that must not be passed on.
package struct Redact: Verb, EachStep {
    package static let declaration = Declaration(
        "redact", "masks, hashes or removes values, also in the dead letters of later stages",
        argument: .keys([
            ArgumentKey(
                "fields", .list(.field, isSet: true), example: "fields: [user]",
                "the fields to redact; with `pattern`, the fields to search"),
            ArgumentKey("pattern", .text, example: #"pattern: '[\w.]+@[\w.]+'"#, "the part of a text to redact; RE2 syntax"),
            ArgumentKey(
                "with", .choice(["mask", "hash", "remove", "network"]), isRequired: true, example: "with: mask",
                "the replacement: `mask`: `***`; `hash`: HMAC-SHA-256 as 64 hexadecimal digits; `remove`: nothing; `network`: the IP address with its last bits set to zero"
            ),
            ArgumentKey(
                "key", .text, example: "key: env:REDACT_KEY", "for `hash`: a secret, or `env:NAME` to take it from an environment variable"),
            ArgumentKey("v4", .integer(0...32), default: "24", example: "v4: 16", "for `network`: how many bits of an IPv4 address to keep"),
            ArgumentKey("v6", .integer(0...128), default: "48", example: "v6: 64", "for `network`: how many bits of an IPv6 address to keep"),
        ]),
        example: "redact: {fields: [user], with: mask}",
        elsewhere: ["mask", "anonymize", "hash", "scrub", "pseudonymize"])

    private let fields: [String]?
    private let pattern: Pattern?
    private let change: Redaction
    /// The fields of the records, if known.
    private let known: [String]?

    package init?(_ argument: Argument, options: Arguments, _ checking: inout Checking) {
        guard let keys = argument.keys else { return nil }
        let leaves = keys["fields"]?.leaves
        checking.checkFields(leaves ?? [])
        guard leaves != nil || keys["pattern"] != nil else {
            checking.report("nothing to redact", at: keys.place, fix: "add 'fields' or 'pattern'")
            return nil
        }
        var pattern: Pattern?
        if let leaf = keys["pattern"]?.leaf {
            guard leaf.isComplete, let made = Self.pattern(leaf, &checking) else { return nil }
            pattern = made
        }
        guard let change = Redaction(keys, &checking) else { return nil }
        self.pattern = pattern
        self.change = change
        fields = leaves?.map(\.text)
        known = checking.fields.isOpen ? nil : checking.fields.names
        for name in fields ?? [] where pattern == nil {
            if case .remove = change { checking.fields.remove(name) } else { checking.fields.set(name, type: .string) }
        }
    }

    private static func pattern(_ leaf: Leaf, _ checking: inout Checking) -> Pattern? {
        do throws(PatternError) {
            return try Pattern(leaf.text)
        } catch {
            checking.report("\(error)", at: leaf.place)
            return nil
        }
    }

    /// Whether it applies to all text of records whose fields are not known.
    private var isForWholeRecords: Bool { pattern != nil && fields == nil && known == nil }

    package var mentions: [String] { fields ?? known ?? [] }
    package var givesNewBytes: Bool { isForWholeRecords }
    package var passesFields: Bool { true }
    package var secretProofs: [String] { if case .hash(let key) = change { [HMACHasher(key).proof] } else { [] } }

    package func bind(_ site: StageSite, _ binder: inout StageBinder) -> any EachStage {
        var site = site
        // The stage must not fail: its own dead letter would contain what is to be hidden.
        site.timeout = nil
        if let pattern, isForWholeRecords {
            return RedactTextStage(
                site: site, pattern: pattern, change: change, typed: TypedFields(from: site.fields.shape, to: binder.next), next: binder.next)
        }
        var targets: [RedactStage.Target] = []
        for name in fields ?? known ?? [] {
            guard let from = binder.shape.column(of: name), from != Shape.undecoded else { continue }
            if pattern == nil, case .remove = change {
                binder.shape.remove(name)
            } else {
                let column = binder.newColumn()
                binder.shape.set(name, column: column)
                targets.append(RedactStage.Target(from: from, to: column))
            }
        }
        return RedactStage(site: site, pattern: pattern, change: change, targets: targets)
    }
}

/// `redact` for some fields, bound to one place.
struct RedactStage: EachStage {
    struct Target: Sendable {
        var from: Int
        var to: Int
    }

    let site: StageSite
    let pattern: Pattern?
    let change: Redaction
    let targets: [Target]

    func run(_ batch: RecordBatch) throws {
        batch.withholdsRaw = true
        batch.counts[site.index].in += batch.rows.count
        batch.counts[site.index].out += batch.rows.count
        let redactor = Redactor(change, pattern)
        for target in targets {
            for row in batch.rows {
                let cells = batch.table.row(Int(row))
                cells[target.to] = redactor.cell(cells[target.from], batch.scratch)
            }
        }
    }
}

/// `redact` for all text, bound to one place.
struct RedactTextStage: EachStage {
    let site: StageSite
    let pattern: Pattern
    let change: Redaction
    let typed: TypedFields
    let next: BoundSegment?

    func run(_ batch: RecordBatch) throws {
        batch.withholdsRaw = true
        batch.counts[site.index].in += batch.rows.count
        batch.counts[site.index].out += batch.rows.count
        let redactor = Redactor(change, pattern)
        let bytes = ByteBuffer(capacity: Batch.targetBytes)
        let record = ByteBuffer(capacity: 4096)
        var frames: [Frame] = []
        var values: [(frame: Int, column: Int, cell: Cell)] = []
        for row in batch.rows {
            record.count = 0
            site.fields.write(Int(row), of: batch, to: record)
            let start = bytes.count
            _ = record.withFilled { redactor.writeJSON($0, to: bytes) }
            typed.forEach(Int(row), of: batch) { cell, column in values.append((frames.count, column, batch.kept(cell))) }
            frames.append(Frame(start: UInt32(start), count: UInt32(bytes.count - start), lineDelta: 0))
        }
        try site.rebase(batch, onto: bytes, frames, decodedBy: next) { RecordFailure(code: $0.code, message: $0.message) }
        for value in values { batch.table.row(value.frame)[value.column] = value.cell }
    }
}

extension Records {
    /// The replacement of a value.
    public enum Redacted: Sendable {
        /// `***`.
        case mask
        /// The HMAC-SHA-256 with this secret, or with one from the environment: `env:NAME`.
        case hash(key: String)
        /// Nothing.
        case remove
        /// An IP address of which only the given number of leading bits is kept.
        case network(v4: Int = 24, v6: Int = 48)
    }

    /// Masks, hashes or removes the values of these fields, or the matches of a pattern in them.
    /// Dead letters of later stages do not contain the record's own bytes.
    ///
    /// - Parameter pattern: in RE2's syntax. Without fields, it applies to all text of the record.
    public func redact(_ fields: [String]? = nil, pattern: String? = nil, with change: Redacted, name: String? = nil) -> Records {
        adding(Redact.self, name) { script in
            var keys: [String: Argument] = [:]
            keys["fields"] = fields.map { script.argument($0) }
            keys["pattern"] = pattern.map { script.argument($0) }
            switch change {
            case .mask: keys["with"] = script.argument("mask")
            case .remove: keys["with"] = script.argument("remove")
            case .hash(let key):
                keys["with"] = script.argument("hash")
                keys["key"] = script.argument(key)
            case .network(let v4, let v6):
                precondition((0...32).contains(v4) && (0...128).contains(v6), "an address has no \(v4) or \(v6) bits")
                keys["with"] = script.argument("network")
                keys["v4"] = .integer(v4, script.place)
                keys["v6"] = .integer(v6, script.place)
            }
            return .keys(Arguments(keys))
        }
    }
}
