extension TimeFormat {
    /// A form to read times by: it says a whole time, from the year down without a gap.
    ///
    /// - Throws: for a form by which a date would be made up, such as one without a year.
    init(reading text: String) throws(EvaluationError) {
        try self.init(text)
        guard let fault = gap else { return }
        throw .invalid("the time format '\(text)' cannot parse a time: \(fault)")
    }

    private var gap: String? {
        guard let verbs else { return nil }
        let has = { (letters: String) in letters.utf8.contains { verbs.contains($0) } }
        if has("s") {
            let others = verbs.subtracting("sfLzZ".utf8).sorted()
            return others.first.map { "'%s' is a complete time, so '%\(Unicode.Scalar($0))' cannot be used with it" }
        }
        if !has("Yy") { return "it has no year ('%Y', '%y')" }
        if has("de"), !has("mbhBj") { return "it has a day without a month ('%m', '%b', '%B')" }
        if has("I"), !has("p") { return "it has a 12-hour clock ('%I') without '%p'" }
        if has("p"), !has("IH") { return "it has '%p' without a 12-hour clock ('%I')" }
        let hasDay = has("dej")
        if has("HI"), !hasDay { return "it has an hour without a day ('%d', '%e', '%j')" }
        if has("M"), !has("HI") { return "it has minutes without an hour ('%H', '%I')" }
        if has("S"), !has("M") { return "it has seconds without minutes ('%M')" }
        if has("fL"), !has("S") { return "it has a fraction without seconds ('%S')" }
        return nil
    }
}
