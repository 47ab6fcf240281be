internal import SluiceCEL

/// `" (did you mean 'status'?)"`, or nothing.
func didYouMean(_ name: String, among names: [String]) -> String {
    Spelling.nearest(to: name, among: names).map { " (did you mean '\($0)'?)" } ?? ""
}
