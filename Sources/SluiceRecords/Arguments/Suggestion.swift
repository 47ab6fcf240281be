import SluiceCEL

/// `" (did you mean 'status'?)"`, or nothing.
package func didYouMean(_ name: String, among names: [String]) -> String {
    Spelling.nearest(to: name, among: names).map { " (did you mean '\($0)'?)" } ?? ""
}

extension String {
    /// Where a name with the same bytes stands in a list.
    package func index(in names: [String]) -> Int? { names.firstIndex { $0.isSame(as: self) } }
}
