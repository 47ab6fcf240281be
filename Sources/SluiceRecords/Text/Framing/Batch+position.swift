extension Batch {
    /// The position in the input where a record begins.
    package func position(ofFrame index: Int) -> Position {
        if let replayed { return replayed.records[index].position }
        let frame = frames[index]
        return Position(
            member: member(ofFrame: index), offset: offset + UInt64(frame.start), line: line + UInt64(frame.lineDelta))
    }

    /// The gzip member in which a record begins.
    package func member(ofFrame index: Int) -> Int {
        var (low, high) = (0, members.count)
        while low < high {
            let middle = (low + high) / 2
            if members[middle].firstFrame <= index { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : members[low - 1].member
    }
}
