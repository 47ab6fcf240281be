/// Reads the JSON text of `json` cells, so that this module needs no JSON parser of its own.
public protocol CompositeReader: Sendable {
    /// The list, map or other value that the text stands for. Cost is linear in the text.
    func value(ofJSON text: UnsafeBufferPointer<UInt8>) throws(EvaluationError) -> Value

    /// The member `name` of the object that the text stands for: `absent` where it has none, `nil` where the text is no object.
    ///
    /// Text that the cell points to is part of `text` or is in the scratch's arena.
    func member(_ name: String, ofJSON text: UnsafeBufferPointer<UInt8>, _ scratch: Scratch) throws(EvaluationError) -> Cell?
}

extension CompositeReader {
    /// Reads the whole object. A reader that can find one member does better.
    public func member(
        _ name: String, ofJSON text: UnsafeBufferPointer<UInt8>, _ scratch: Scratch
    ) throws(EvaluationError) -> Cell? {
        guard case .map(let map) = try value(ofJSON: text) else { return nil }
        guard let member = map[name] else { return .absent }
        return scratch.cell(of: member)
    }
}
