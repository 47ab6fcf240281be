/// The positions in a buffer where gzip members begin.
struct MemberPlaces {
    /// In order; the first is the member of the buffer's first byte.
    private var places: [(start: Int, member: Int)] = [(0, 0)]

    /// The member of the buffer's first byte.
    var first: Int { places[0].member }

    mutating func begin(_ member: Int, at start: Int) {
        // An empty member leaves no trace.
        if places[places.count - 1].start == start { places.removeLast() }
        places.append((start, member))
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

    /// Removes the first `count` bytes of the buffer.
    mutating func move(back count: Int) {
        let passed = max(1, places.prefix { $0.start <= count }.count)
        places.removeFirst(passed - 1)
        places = places.map { (max(0, $0.start - count), $0.member) }
    }
}
