import SluiceCEL

/// The structured data of RFC 5424: `[id name="value"][…]`.
///
/// Unsafe memory: reads within the record.
enum StructuredData {
    typealias Place = UnsafePointer<UInt8>

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let close = UInt8(ascii: "]")

    typealias Part = UnsafeBufferPointer<UInt8>

    /// The end of the elements that begin here.
    /// - Returns: `nil` if none do.
    static func end(of record: Part, from start: Place, _ end: Place) throws(FormatFault) -> Place? {
        var reading = Reading(record, start, end)
        while try reading.beginElement() != nil {
            while try reading.parameter() != nil {}
        }
        guard reading.place > start else { return nil }
        if let invalid = UTF8Text.firstInvalid(in: Part(start: start, count: reading.place - start)) {
            throw FormatFault("invalid UTF-8", at: start + invalid, in: record)
        }
        return reading.place
    }

    /// Writes the elements as a JSON object, each of them an object: `{"id":{"name":"value"}}`. A
    /// name that occurs several times in an element has a list of values.
    ///
    /// - Parameter text: valid elements.
    static func writeJSON(_ text: Part, to buffer: ByteBuffer) {
        let start = buffer.count
        guard !writeDistinct(text, to: buffer) else { return }
        buffer.count = start
        writeGrouped(text, to: buffer)
    }

    /// As many names as are compared with each other.
    private static let few = 24

    /// Writes elements with few and distinct names.
    private static func writeDistinct(_ text: Part, to buffer: ByteBuffer) -> Bool {
        withUnsafeTemporaryAllocation(of: Part.self, capacity: 2 * few) { memory in
            var ids = Names(memory: UnsafeMutableBufferPointer(rebasing: memory[..<few]))
            var reading = Reading(text)
            while let id = reading.nextElement() {
                guard ids.add(id) else { return false }
                var names = Names(memory: UnsafeMutableBufferPointer(rebasing: memory[few...]))
                writeKey(id, isFirst: ids.count == 1, to: buffer)
                while let (name, value) = reading.nextParameter() {
                    guard names.add(name) else { return false }
                    writeKey(name, isFirst: names.count == 1, to: buffer)
                    writeValue(value, to: buffer)
                }
                if names.count == 0 { buffer.append(UInt8(ascii: "{")) }
                buffer.append(UInt8(ascii: "}"))
            }
            buffer.append(UInt8(ascii: "}"))
            return true
        }
    }

    /// Distinct names in temporary memory.
    private struct Names {
        let memory: UnsafeMutableBufferPointer<Part>
        var count = 0

        /// - Returns: `false` if the name is there already, or too many are.
        mutating func add(_ name: Part) -> Bool {
            guard count < memory.count, !memory[..<count].contains(where: { $0.elementsEqual(name) }) else { return false }
            memory.initializeElement(at: count, to: name)
            count += 1
            return true
        }
    }

    /// Writes elements with any names. Elements with the same name become one.
    private static func writeGrouped(_ text: Part, to buffer: ByteBuffer) {
        var elements = Grouped<Grouped<[Part]>>()
        var reading = Reading(text)
        while let id = reading.nextElement() {
            elements.change(id, from: Grouped()) { element in
                while let (name, value) = reading.nextParameter() { element.change(name, from: []) { $0.append(value) } }
            }
        }
        elements.write(to: buffer) { element in
            element.write(to: buffer) { values in
                if values.count == 1 { return writeValue(values[0], to: buffer) }
                for (index, value) in values.enumerated() {
                    buffer.append(index == 0 ? UInt8(ascii: "[") : UInt8(ascii: ","))
                    writeValue(value, to: buffer)
                }
                buffer.append(UInt8(ascii: "]"))
            }
        }
    }

    /// Values by name, in the order of the names' first occurrences.
    private struct Grouped<Element> {
        private var all: [(name: Part, element: Element)] = []
        private var places: [Name: Int] = [:]

        mutating func change(_ name: Part, from first: Element, _ body: (inout Element) -> Void) {
            let key = Name(String(decoding: name, as: UTF8.self))
            if places[key] == nil {
                places[key] = all.count
                all.append((name, first))
            }
            if let place = places[key] { body(&all[place].element) }
        }

        func write(to buffer: ByteBuffer, _ writeElement: (Element) -> Void) {
            if all.isEmpty { buffer.append(UInt8(ascii: "{")) }
            for (index, (name, element)) in all.enumerated() {
                writeKey(name, isFirst: index == 0, to: buffer)
                writeElement(element)
            }
            buffer.append(UInt8(ascii: "}"))
        }
    }

    private static func writeKey(_ name: Part, isFirst: Bool, to buffer: ByteBuffer) {
        buffer.append(isFirst ? UInt8(ascii: "{") : UInt8(ascii: ","))
        JSONText.write(name, to: buffer)
        buffer.append(UInt8(ascii: ":"))
    }

    /// Only `\"`, `\\` and `\]` are escapes.
    private static func writeValue(_ value: Part, to buffer: ByteBuffer) {
        buffer.append(quote)
        var rest = value[...]
        while let place = rest.firstIndex(of: backslash) {
            JSONText.writeEscaped(Part(rebasing: rest[..<place]), to: buffer)
            let isEscape = place + 1 < rest.endIndex && [quote, backslash, close].contains(rest[place + 1])
            let meant = isEscape ? place + 1 : place
            JSONText.writeEscaped(Part(rebasing: rest[meant...meant]), to: buffer)
            rest = rest[(meant + 1)...]
        }
        JSONText.writeEscaped(Part(rebasing: rest), to: buffer)
        buffer.append(quote)
    }

    /// Reads elements from left to right.
    private struct Reading {
        private let record: Part
        private let end: Place
        private(set) var place: Place

        init(_ record: Part, _ start: Place, _ end: Place) {
            self.record = record
            self.end = end
            place = start
        }

        /// - Parameter text: valid elements.
        init(_ text: Part) {
            guard let start = text.baseAddress else { preconditionFailure("elements have text") }
            self.init(text, start, start + text.count)
        }

        private func fault(_ what: String) -> FormatFault { FormatFault(what, at: place, in: record) }

        private var byte: UInt8? { place < end ? place.pointee : nil }

        /// - Returns: the element's name; `nil` if no element begins here.
        mutating func beginElement() throws(FormatFault) -> Part? {
            guard byte == UInt8(ascii: "[") else { return nil }
            place += 1
            return try name("the name of an element")
        }

        /// - Returns: `nil` at the end of the element, which is skipped.
        mutating func parameter() throws(FormatFault) -> (name: Part, value: Part)? {
            let isSpaced = byte == 0x20
            while byte == 0x20 { place += 1 }
            if byte == close {
                place += 1
                return nil
            }
            guard isSpaced else { throw fault("expected a blank or ']'") }
            let name = try name("the name of a parameter")
            guard byte == UInt8(ascii: "="), place + 1 < end, place[1] == quote else { throw fault("expected '=\"'") }
            place += 2
            let start = place
            while let byte, byte != quote {
                if byte == close { throw fault("expected '\\' before ']' in a value") }
                place += byte == backslash && place + 1 < end ? 2 : 1
            }
            guard byte == quote else { throw fault("expected a closing quote") }
            defer { place += 1 }
            return (name, Part(start: start, count: place - start))
        }

        private mutating func name(_ what: String) throws(FormatFault) -> Part {
            let start = place
            while let byte, byte > 0x20, byte != close, byte != quote, byte != UInt8(ascii: "=") { place += 1 }
            guard place > start else { throw fault("expected \(what)") }
            return Part(start: start, count: place - start)
        }

        mutating func nextElement() -> Part? { try? beginElement() }
        mutating func nextParameter() -> (name: Part, value: Part)? { try? parameter() }
    }
}
