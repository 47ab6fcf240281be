/// The table of verbs.
package enum Verbs {
    /// In the order of the reference.
    package static let all: [any Verb.Type] = [
        Keep.self, Drop.self, SetFields.self, Select.self, Remove.self, Rename.self, Parse.self, Explode.self,
        Redact.self, Lookup.self, Dedupe.self, Sample.self, Throttle.self, Head.self, Sort.self, Summarize.self,
        Exec.self, HTTP.self,
    ]

    package static func named(_ name: String) -> (any Verb.Type)? {
        all.first { $0.declaration.isCalled(name) }
    }

    package static var names: [String] { all.map { $0.declaration.name } }
}
