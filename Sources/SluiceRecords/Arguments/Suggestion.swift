import SluiceCEL

/// `" (did you mean 'status'?)"`, or an empty string.
package func didYouMean(_ name: String, among names: [String]) -> String {
    Spelling.nearest(to: name, among: names).map { " (did you mean '\($0)'?)" } ?? ""
}

extension String {
    /// The index of a name with the same bytes.
    package func index(in names: [String]) -> Int? { names.firstIndex { $0.isSame(as: self) } }
}
