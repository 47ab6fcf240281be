import SluiceCEL

extension StructuredData {
    /// Writes a JSON object of objects as elements. A list is a parameter that occurs several
    /// times; null is none.
    ///
    /// - Parameter json: valid JSON, followed by readable padding.
    /// - Returns: why it is impossible, as the rest of a sentence.
    static func write(json: Part, to buffer: ByteBuffer) -> String? {
        let start = buffer.count
        let problem = eachMember(of: json) { name, value, end in
            guard value.pointee != UInt8(ascii: "n") else { return nil }
            guard isName(name) else { return "has an element with an invalid name: '\(String(decoding: name, as: UTF8.self))'" }
            buffer.append(UInt8(ascii: "["))
            buffer.append(name)
            let problem = eachMember(of: Part(start: value, count: end - value)) { name, value, end in
                guard isName(name) else { return "has a parameter with an invalid name: '\(String(decoding: name, as: UTF8.self))'" }
                return write(name, value, end, to: buffer)
            }
            buffer.append(UInt8(ascii: "]"))
            return problem
        }
        if problem == nil, buffer.count == start { buffer.append(UInt8(ascii: "-")) }
        return problem
    }

    private static func eachMember(of object: Part, _ body: (Part, Place, Place) -> String?) -> String? {
        var problem: String?
        do throws(JSONFault) {
            let isObject = try JSONMembers.forEach(in: object) { (key, isEscaped, value, end) throws(JSONFault) in
                guard problem == nil else { return }
                let close = try JSONScan.string(key + 1, end).close
                problem = JSONValue.withText(key + 1, close, isEscaped) { body($0, value, end) }
            }
            return isObject ? problem : "is not a map of maps, as in {origin: {ip: '10.0.0.1'}}"
        } catch {
            return error.message(in: object)
        }
    }

    /// Printable ASCII except for blanks, `=`, `]` and quotes, at most 32 of them.
    private static func isName(_ name: Part) -> Bool {
        (1...32).contains(name.count)
            && name.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "]") && $0 != UInt8(ascii: "\"") }
    }

    private static func write(_ name: Part, _ value: Place, _ end: Place, to buffer: ByteBuffer) -> String? {
        do throws(JSONFault) {
            switch value.pointee {
            case UInt8(ascii: "n"): return nil
            case UInt8(ascii: "["):
                var building = JSONBuilding(value, end)
                guard case .list(let elements) = try building.value() else { return nil }
                for element in elements {
                    let text = ByteBuffer(capacity: 16)
                    if case .string(var string) = element { string.withUTF8 { text.append($0) } } else { JSONText.write(element, to: text) }
                    if let problem = text.withFilled({ write(name, $0, to: buffer) }) { return problem }
                }
                return nil
            case UInt8(ascii: "\""):
                let (close, isEscaped) = try JSONScan.string(value + 1, end)
                return JSONValue.withText(value + 1, close, isEscaped) { write(name, $0, to: buffer) }
            default: return write(name, Part(start: value, count: end - value), to: buffer)
            }
        } catch {
            return "is not valid"
        }
    }

    private static func write(_ name: Part, _ value: Part, to buffer: ByteBuffer) -> String? {
        guard !value.contains(0x0A) else { return "contains a line feed" }
        buffer.append(UInt8(ascii: " "))
        buffer.append(name)
        buffer.append("=\"")
        for byte in value {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "]") { buffer.append(UInt8(ascii: "\\")) }
            buffer.append(byte)
        }
        buffer.append(UInt8(ascii: "\""))
        return nil
    }
}
