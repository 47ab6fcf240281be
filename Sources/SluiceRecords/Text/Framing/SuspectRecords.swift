/// Counts the records that may differ from what was compressed.
///
/// Of a member that fails its check, all records are suspect, since nothing tells where it differs.
/// So are those of a gzip member with invalid data, since the inflater notices it some bytes after
/// the cause, and of a zstd frame, or a bzip2 or xz stream, whose check was not reached or is
/// wrong. Elsewhere damage has a place, and only the records after it are: those that a member
/// continues with, which its check can no longer prove.
struct SuspectRecords: Codable, Sendable, Equatable {
    private struct Delivered: Codable, Equatable {
        var member = 0
        var records: UInt64 = 0
    }

    /// Members whose records are suspect from now on.
    private var members: Swift.Set<Int> = []
    /// The member of the last record delivered, and how many of its records were.
    private var last = Delivered()
    /// Records delivered in earlier batches that turned out to be suspect.
    private var late: UInt64 = 0
    /// A record that begins in one member and ends in another, and counts as one of the first.
    private struct Shared: Codable, Equatable {
        var start: UInt64
        var owner: Int
        /// The last member that began inside it.
        var member: Int
        /// Whether it is suspect because of another member than its owner.
        var isSuspect = false
    }

    /// The last record that a member began inside of.
    private var shared: Shared?

    private enum CodingKeys: CodingKey {
        case members, last, late, shared
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        members = Swift.Set(try values.decode([Int].self, forKey: .members))
        last = try values.decode(Delivered.self, forKey: .last)
        late = try values.decode(UInt64.self, forKey: .late)
        shared = try values.decodeIfPresent(Shared.self, forKey: .shared)
    }

    /// The order of the members is the same in every process, as plans are compared.
    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(members.sorted(), forKey: .members)
        try values.encode(last, forKey: .last)
        try values.encode(late, forKey: .late)
        try values.encodeIfPresent(shared, forKey: .shared)
    }

    /// To be called when the member begins inside a record, which begins at this offset of the
    /// text.
    mutating func share(_ member: Int, recordAt start: UInt64) {
        if shared?.start == start {
            shared?.member = member
        } else {
            shared = Shared(start: start, owner: member &- 1, member: member)
        }
    }

    /// To be called when the record that begins at this offset is lost.
    mutating func lose(recordAt start: UInt64) {
        if shared?.start == start { shared = nil }
    }

    /// To be called when the member's text fails its check, or nothing can prove it any more.
    mutating func fail(_ member: Int) {
        guard members.insert(member).inserted else { return }
        if let shared, shared.member == member, !members.contains(shared.owner) { self.shared?.isSuspect = true }
        if last.member == member { late += last.records }
    }

    /// To be called once the records before the damage were delivered.
    mutating func cut(_ member: Int) { members.insert(member) }

    /// The number of records that are known to be suspect since the last call.
    ///
    /// - Parameters:
    ///   - runs: the members of the records that are delivered now.
    ///   - count: the number of these records.
    ///   - end: the offset of the text that they end at.
    mutating func deliver(_ runs: [MemberRun], count: Int, until end: UInt64 = 0) -> UInt64 {
        var suspect = late
        late = 0
        if let shared, shared.isSuspect, shared.start < end {
            suspect += 1
            self.shared = nil
        }
        for (index, run) in runs.enumerated() {
            let end = index + 1 < runs.count ? runs[index + 1].firstFrame : count
            let records = UInt64(end - run.firstFrame)
            if members.contains(run.member) { suspect += records }
            last = Delivered(member: run.member, records: (last.member == run.member ? last.records : 0) + records)
        }
        if !members.isEmpty { members = members.filter { $0 >= last.member &- 1 } }
        return suspect
    }
}
