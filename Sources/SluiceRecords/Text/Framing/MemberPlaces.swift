/// The positions in a buffer where gzip members begin.
struct MemberPlaces: Codable, Sendable, Equatable {
    private struct Place: Codable, Equatable {
        var start: Int
        var member: Int
    }

    /// In order; the first is the member of the buffer's first byte.
    private var places = [Place(start: 0, member: 0)]

    /// Whether there is a first one; not in a state file that was changed.
    var isSound: Bool { !places.isEmpty }

    /// The member of the buffer's first byte.
    var first: Int { places[0].member }

    mutating func begin(_ member: Int, at start: Int) {
        // A member that was empty, or whose text was dropped, leaves no trace.
        while let last = places.last, last.start >= start { places.removeLast() }
        places.append(Place(start: start, member: member))
    }

    func member(at start: Int) -> Int {
        places.last { $0.start <= start }?.member ?? first
    }

    /// The frames, run-length encoded by member.
    func runs(of frames: [Frame]) -> [MemberRun] {
        var runs: [MemberRun] = []
        var index = 0
        for place in places {
            while index < frames.count, frames[index].start < place.start { index += 1 }
            guard index < frames.count else { break }
            if runs.last?.firstFrame == index { runs.removeLast() }
            runs.append(MemberRun(firstFrame: index, member: place.member))
        }
        return runs
    }

    /// The frames that have bytes of one of the given members.
    func frames(_ frames: [Frame], in members: Swift.Set<Int>) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for (index, place) in places.enumerated() where members.contains(place.member) {
            let end = index + 1 < places.count ? places[index + 1].start : .max
            let first = frames.firstIndex { Int($0.start) + Int($0.count) >= place.start && Int($0.start) < end } ?? frames.count
            let count = frames[first...].prefix { Int($0.start) < end }.count
            guard count > 0 else { continue }
            if let last = ranges.last, last.upperBound > first {
                ranges[ranges.count - 1] = last.lowerBound..<first + count
            } else {
                ranges.append(first..<first + count)
            }
        }
        return ranges
    }

    /// Removes the first `count` bytes of the buffer.
    mutating func move(back count: Int) {
        let passed = max(1, places.prefix { $0.start <= count }.count)
        places.removeFirst(passed - 1)
        places = places.map { Place(start: max(0, $0.start - count), member: $0.member) }
    }
}
