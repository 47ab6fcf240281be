/// `int uint double string bytes bool timestamp duration` as functions.
enum Conversions {
    static let functions: [Function] = [
        Function(
            "int(int) -> int", "int(uint) -> int", "int(double) -> int", "int(string) -> int", "int(timestamp) -> int",
            implementation: .pure(int)),
        Function(
            "uint(uint) -> uint", "uint(int) -> uint", "uint(double) -> uint", "uint(string) -> uint", implementation: .pure(uint)),
        Function(
            "double(double) -> double", "double(int) -> double", "double(uint) -> double", "double(string) -> double",
            implementation: .pure(double)),
        Function(
            "string(string) -> string", "string(bool) -> string", "string(int) -> string", "string(uint) -> string",
            "string(double) -> string", "string(bytes) -> string", "string(timestamp) -> string", "string(duration) -> string",
            "string(net.IP) -> string", "string(net.CIDR) -> string", implementation: .pure(string)),
        Function("bytes(bytes) -> bytes", "bytes(string) -> bytes", implementation: .pure(bytes)),
        Function("bool(bool) -> bool", "bool(string) -> bool", implementation: .pure(bool)),
        Function(
            "timestamp(timestamp) -> timestamp", "timestamp(string) -> timestamp", "timestamp(int) -> timestamp",
            implementation: .pure(timestamp)),
        Function("duration(duration) -> duration", "duration(string) -> duration", implementation: .pure(duration)),
    ]

    @Sendable private static func int(_ value: Value) throws(EvaluationError) -> Value {
        switch value {
        case .int: return value
        case .uint(let number):
            guard let int = Int64(exactly: number) else { throw outOfRange(value, "int") }
            return .int(int)
        case .double(let number):
            // Both bounds are excluded, because a double near them stands for numbers beyond.
            guard number > -0x1p63, number < 0x1p63 else { throw outOfRange(value, "int") }
            return .int(Int64(number))
        case .string(let text):
            guard let int = Int64(text) else { throw unreadable(text, "int") }
            return .int(int)
        case .timestamp(let moment): return .int(moment.seconds)
        default: throw .noOverload("int", value)
        }
    }

    @Sendable private static func uint(_ value: Value) throws(EvaluationError) -> Value {
        switch value {
        case .uint: return value
        case .int(let number):
            guard let uint = UInt64(exactly: number) else { throw outOfRange(value, "uint") }
            return .uint(uint)
        case .double(let number):
            guard number >= 0, number < 0x1p64 else { throw outOfRange(value, "uint") }
            return .uint(UInt64(number))
        case .string(let text):
            guard text.utf8.first?.isDigit == true, let uint = UInt64(text) else { throw unreadable(text, "uint") }
            return .uint(uint)
        default: throw .noOverload("uint", value)
        }
    }

    @Sendable private static func double(_ value: Value) throws(EvaluationError) -> Value {
        switch value {
        case .double: return value
        case .int(let number): return .double(Double(number))
        case .uint(let number): return .double(Double(number))
        case .string(let text):
            guard let double = Double(text) else { throw unreadable(text, "double") }
            if double.isInfinite, text.utf8.contains(where: \.isDigit) { throw outOfRange(value, "double") }
            return .double(double)
        default: throw .noOverload("double", value)
        }
    }

    @Sendable private static func string(_ value: Value) throws(EvaluationError) -> Value {
        switch value {
        case .string: return value
        case .bool(let bool): return .string(bool ? "true" : "false")
        case .int(let number): return .string(String(number))
        case .uint(let number): return .string(String(number))
        case .double(let number): return .string(number.text)
        case .decimal(let text): return .string(text)
        case .bytes(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalid("the bytes are invalid UTF-8") }
            return .string(text)
        case .timestamp(let moment): return .string(moment.description)
        case .duration(let duration): return .string(duration.text)
        case .ip(let address): return .string(address.description)
        case .cidr(let network): return .string(network.description)
        default: throw .noOverload("string", value)
        }
    }

    @Sendable private static func bytes(_ value: Value) throws(EvaluationError) -> Value {
        switch value {
        case .bytes: return value
        case .string(let text): return .bytes(Array(text.utf8))
        default: throw .noOverload("bytes", value)
        }
    }

    @Sendable private static func bool(_ value: Value) throws(EvaluationError) -> Value {
        switch value {
        case .bool: return value
        case .string("true"), .string("True"), .string("TRUE"), .string("t"), .string("T"), .string("1"): return .bool(true)
        case .string("false"), .string("False"), .string("FALSE"), .string("f"), .string("F"), .string("0"): return .bool(false)
        case .string(let text): throw unreadable(text, "bool")
        default: throw .noOverload("bool", value)
        }
    }

    @Sendable private static func timestamp(_ value: Value) throws(EvaluationError) -> Value {
        switch value {
        case .timestamp: return value
        case .int(let seconds):
            guard let moment = Timestamp(seconds: seconds) else { throw outOfRange(value, "timestamp") }
            return .timestamp(moment)
        case .string(let text):
            guard let moment = Timestamp(text) else { throw unreadable(text, "timestamp") }
            return .timestamp(moment)
        default: throw .noOverload("timestamp", value)
        }
    }

    @Sendable private static func duration(_ value: Value) throws(EvaluationError) -> Value {
        switch value {
        case .duration: return value
        case .string(let text): return .duration(try Duration(parsing: text))
        default: throw .noOverload("duration", value)
        }
    }

    private static func outOfRange(_ value: Value, _ type: String) -> EvaluationError {
        EvaluationError(.overflow, "\(value) is out of range for \(type)")
    }

    private static func unreadable(_ text: String, _ type: String) -> EvaluationError {
        .invalid("\(Value.quotedBeginning(text)) cannot be converted to \(type)")
    }
}
