import Foundation
import SluiceRecords

@testable import SluiceDefinition

/// Validates YAML against a JSON Schema; supports only the keywords that ``PipelineSchema`` uses.
///
/// `scripts/validate-schema` does the same with Python's `jsonschema`.
struct SchemaCheck {
    let root: SchemaNode

    struct UnknownKeyword: Error {
        var keyword: String
    }

    /// The violations, each with the path of the value.
    func faults(of node: YAMLNode) throws -> [String] { try faults(of: Instance(node), against: root, at: "") }

    private func faults(of instance: Instance, against schema: SchemaNode, at path: String) throws -> [String] {
        guard case .object(let members) = schema else { return [] }
        var faults: [String] = []
        for member in members {
            faults += try self.faults(of: instance, keyword: member.key, member.value, in: schema, at: path)
        }
        return faults
    }

    private func holds(_ instance: Instance, _ schema: SchemaNode) throws -> Bool {
        try faults(of: instance, against: schema, at: "").isEmpty
    }

    private func faults(of instance: Instance, keyword: String, _ value: SchemaNode, in schema: SchemaNode, at path: String) throws -> [String] {
        let fault = ["\(path): \(instance) does not go with \(keyword) \(value.json())"]
        switch keyword {
        case "$schema", "$defs", "title", "description", "default", "then": return []
        case "$ref":
            let name = (value.text ?? "").split(separator: "/").last.map(String.init) ?? ""
            guard let target = root.member("$defs")?.member(name) else { throw UnknownKeyword(keyword: value.json()) }
            return try faults(of: instance, against: target, at: path)
        case "type": return (value.list ?? [value]).contains { instance.isOf(type: $0.text ?? "") } ? [] : fault
        case "enum": return (value.list ?? []).contains { instance == Instance($0) } ? [] : fault
        case "pattern":
            guard case .text(let text) = instance, let pattern = value.text else { return [] }
            return try NSRegularExpression(pattern: pattern).firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) == nil ? fault : []
        case "minLength":
            guard case .text(let text) = instance else { return [] }
            return text.unicodeScalars.count < value.number ?? 0 ? fault : []
        case "minimum":
            guard case .number(let number) = instance else { return [] }
            return number < Double(value.number ?? 0) ? fault : []
        case "maximum":
            guard case .number(let number) = instance else { return [] }
            return number > Double(value.number ?? 0) ? fault : []
        case "anyOf": return try (value.list ?? []).contains { try holds(instance, $0) } ? [] : fault
        case "oneOf": return try (value.list ?? []).count { try holds(instance, $0) } == 1 ? [] : fault
        case "allOf": return try (value.list ?? []).flatMap { try faults(of: instance, against: $0, at: path) }
        case "not": return try holds(instance, value) ? fault : []
        case "if":
            guard let then = schema.member("then"), try holds(instance, value) else { return [] }
            return try faults(of: instance, against: then, at: path)
        case "items", "minItems", "uniqueItems":
            guard case .list(let elements) = instance else { return [] }
            switch keyword {
            case "items": return try elements.enumerated().flatMap { try faults(of: $1, against: value, at: "\(path)/\($0)") }
            case "minItems": return elements.count < value.number ?? 0 ? fault : []
            default: return elements.indices.contains { elements[..<$0].contains(elements[$0]) } ? fault : []
            }
        case "properties", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties":
            guard case .map(let entries) = instance else { return [] }
            return try faults(of: entries, keyword: keyword, value, in: schema, at: path) ?? fault
        default: throw UnknownKeyword(keyword: keyword)
        }
    }

    private func faults(
        of entries: [Instance.Entry], keyword: String, _ value: SchemaNode, in schema: SchemaNode, at path: String
    ) throws -> [String]? {
        switch keyword {
        case "required": return (value.list ?? []).allSatisfy { name in entries.contains { $0.key == name.text } } ? [] : nil
        case "minProperties": return entries.count < value.number ?? 0 ? nil : []
        case "maxProperties": return entries.count > value.number ?? 0 ? nil : []
        case "propertyNames": return try entries.flatMap { try faults(of: .text($0.key), against: value, at: path) }
        case "properties":
            return try entries.flatMap { entry in
                try value.member(entry.key).map { try faults(of: entry.value, against: $0, at: "\(path)/\(entry.key)") } ?? []
            }
        default:
            let others = entries.filter { schema.member("properties")?.member($0.key) == nil }
            if value == .flag(false) { return others.map { "\(path): no key \($0.key) is known" } }
            return try others.flatMap { try faults(of: $0.value, against: value, at: "\(path)/\($0.key)") }
        }
    }
}

/// A JSON value.
indirect enum Instance: Equatable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([Instance])
    case map([Entry])

    struct Entry: Equatable {
        var key: String
        var value: Instance
    }

    /// Resolves a scalar by YAML's core schema.
    init(_ node: YAMLNode) {
        switch node {
        case .list(let list): self = .list(list.elements.map { Instance($0) })
        case .map(let map): self = .map(map.entries.map { Entry(key: $0.key.text, value: Instance($0.value)) })
        case .leaf(let leaf) where leaf.isNull: self = .null
        case .leaf(let leaf) where leaf.isPlain && ["true", "false"].contains(leaf.text): self = .flag(leaf.text == "true")
        case .leaf(let leaf):
            let isNumber = leaf.text.wholeMatch(of: /[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?/) != nil
            let number = leaf.isPlain && isNumber ? Double(leaf.text) : nil
            self = number.map { .number($0) } ?? .text(leaf.text)
        }
    }

    init(_ node: SchemaNode) {
        switch node {
        case .text(let text): self = .text(text)
        case .number(let number): self = .number(Double(number))
        case .flag(let flag): self = .flag(flag)
        case .list(let elements): self = .list(elements.map { Instance($0) })
        case .object(let members): self = .map(members.map { Entry(key: $0.key, value: Instance($0.value)) })
        }
    }

    func isOf(type: String) -> Bool {
        switch (self, type) {
        case (.null, "null"), (.flag, "boolean"), (.number, "number"), (.text, "string"), (.list, "array"), (.map, "object"): true
        case (.number(let number), "integer"): number == number.rounded()
        default: false
        }
    }
}

extension SchemaNode {
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Int? { if case .number(let number) = self { number } else { nil } }
    var list: [SchemaNode]? { if case .list(let elements) = self { elements } else { nil } }

    func member(_ key: String) -> SchemaNode? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
}
