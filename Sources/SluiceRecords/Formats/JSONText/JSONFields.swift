package import SluiceCEL

/// Members that are written from the cells of a row in a fixed order: a whole record, or additions
/// to a record's own members.
///
/// Created once for a place in a pipeline.
package struct JSONFields: Sendable {
    package struct Field: Sendable, Equatable {
        package var key: String
        /// The member is not written if the cell in this column is absent.
        package var column: Int
        /// The member is not written if the cell in this column has a value.
        package var unless: Int?

        package init(key: String, column: Int, unless: Int? = nil) {
            self.key = key
            self.column = column
            self.unless = unless
        }
    }

    private struct Step: BitwiseCopyable {
        var key: JSONKeys.Place
        var column: Int
        /// -1 if there is none.
        var unless: Int
    }

    private let steps: [Step]
    private let keys: JSONKeys

    package init(_ fields: [Field]) {
        var keys = JSONKeys()
        steps = fields.map { Step(key: keys.add($0.key), column: $0.column, unless: $0.unless ?? -1) }
        self.keys = keys
    }

    /// Writes an object.
    /// - Parameter cells: the cells of the row, by column.
    package func write(_ cells: UnsafePointer<Cell>, _ scratch: Scratch, to buffer: ByteBuffer) {
        buffer.append(UInt8(ascii: "{"))
        writeMembers(cells, scratch, hasMember: false, to: buffer)
        buffer.append(UInt8(ascii: "}"))
    }

    /// - Parameter hasMember: whether a comma is needed before the first member.
    @inline(__always)
    func writeMembers(_ cells: UnsafePointer<Cell>, _ scratch: Scratch, hasMember: Bool, to buffer: ByteBuffer) {
        guard !steps.isEmpty else { return }
        keys.withText { keys in
            var needsComma = hasMember
            for step in steps {
                let cell = cells[step.column]
                guard cell.kind != .absent, step.unless < 0 || cells[step.unless].kind == .absent else { continue }
                keys.write(step.key, comma: needsComma, to: buffer)
                needsComma = true
                JSONText.write(cell, scratch, to: buffer)
            }
        }
    }
}
