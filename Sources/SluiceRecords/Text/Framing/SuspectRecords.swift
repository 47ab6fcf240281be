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
    /// The last member that began inside a record, which counts as one of the member before.
    private var sharing: Int?

    private enum CodingKeys: CodingKey {
        case members, last, late, sharing
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        members = Swift.Set(try values.decode([Int].self, forKey: .members))
        last = try values.decode(Delivered.self, forKey: .last)
        late = try values.decode(UInt64.self, forKey: .late)
        sharing = try values.decodeIfPresent(Int.self, forKey: .sharing)
    }

    /// The order of the members is the same in every process, as plans are compared.
    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(members.sorted(), forKey: .members)
        try values.encode(last, forKey: .last)
        try values.encode(late, forKey: .late)
        try values.encodeIfPresent(sharing, forKey: .sharing)
    }

    /// To be called when the member begins inside a record.
    mutating func share(_ member: Int) { sharing = member }

    /// To be called when the member's text fails its check, or nothing can prove it any more.
    mutating func fail(_ member: Int) {
        guard members.insert(member).inserted else { return }
        if sharing == member, !members.contains(member &- 1) { late += 1 }
        if last.member == member { late += last.records }
    }

    /// To be called once the records before the damage were delivered.
    mutating func cut(_ member: Int) { members.insert(member) }

    /// The number of records that are known to be suspect since the last call.
    ///
    /// - Parameters:
    ///   - runs: the members of the records that are delivered now.
    ///   - count: the number of these records.
    mutating func deliver(_ runs: [MemberRun], count: Int) -> UInt64 {
        var suspect = late
        late = 0
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
