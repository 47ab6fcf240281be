/// Reads the JSON text of `json` cells, so that this module needs no JSON parser of its own.
public protocol CompositeReader: Sendable {
    /// The list, map or other value that the text encodes. Cost is linear in the text.
    func value(ofJSON text: UnsafeBufferPointer<UInt8>) throws(EvaluationError) -> Value

    /// The member `name` of the object that the text encodes: `absent` if there is none, nil if the
    /// text is not an object.
    ///
    /// Text that the cell points to is part of `text` or in the scratch's arena.
    func member(_ name: String, ofJSON text: UnsafeBufferPointer<UInt8>, _ scratch: Scratch) throws(EvaluationError) -> Cell?
}

extension CompositeReader {
    /// Reads the whole object. A reader that can find a single member should override this.
    public func member(
        _ name: String, ofJSON text: UnsafeBufferPointer<UInt8>, _ scratch: Scratch
    ) throws(EvaluationError) -> Cell? {
        guard case .map(let map) = try value(ofJSON: text) else { return nil }
        guard let member = map[name] else { return .absent }
        return scratch.cell(of: member)
    }
}
