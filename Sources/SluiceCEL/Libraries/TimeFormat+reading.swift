extension TimeFormat {
    /// A form to read times by: it says a whole time, from the year down without a gap.
    ///
    /// - Throws: for a form by which a date would be made up, such as one without a year.
    init(reading text: String) throws(EvaluationError) {
        try self.init(text)
        guard let fault = gap else { return }
        throw .invalid("the time format '\(text)' cannot be read by: \(fault)")
    }

    private var gap: String? {
        guard let verbs else { return nil }
        let has = { (letters: String) in letters.utf8.contains { verbs.contains($0) } }
        if has("s") {
            let others = verbs.subtracting("sfLzZ".utf8).sorted()
            return others.first.map { "'%s' says the whole time, and '%\(Unicode.Scalar($0))' stands beside it" }
        }
        if !has("Yy") { return "it gives no year ('%Y', '%y')" }
        if has("de"), !has("mbhBj") { return "it gives a day without a month ('%m', '%b', '%B')" }
        if has("I"), !has("p") { return "'%I' is an hour of half a day, and there is no '%p'" }
        if has("p"), !has("IH") { return "'%p' is half a day, and there is no '%I'" }
        let hasDay = has("dej")
        if has("HI"), !hasDay { return "it gives an hour without a day ('%d', '%e', '%j')" }
        if has("M"), !has("HI") { return "it gives minutes without an hour ('%H', '%I')" }
        if has("S"), !has("M") { return "it gives seconds without minutes ('%M')" }
        if has("fL"), !has("S") { return "it gives a fraction without seconds ('%S')" }
        return nil
    }
}
