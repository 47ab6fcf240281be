import Foundation
import Testing

/// The tables of docs/pipeline-file.md between `<!-- NAME: made by make docs -->` and `<!-- end
/// -->` match the declarations.
@Suite("The reference")
struct ReferenceTests {
    static let page = BadFilesTests.folder.appending(path: "../../../docs/pipeline-file.md").standardizedFileURL

    /// `SLUICE_WRITE_EXPECTED=1`, or `make docs`, rewrites them.
    @Test("has the tables that the declarations make")
    func tables() throws {
        let page = try String(contentsOf: Self.page, encoding: .utf8)
        var made = page
        for (name, text) in ReferenceTables.all {
            let opening = "<!-- \(name): made by make docs -->\n"
            let parts = made.components(separatedBy: opening)
            try #require(parts.count == 2, "the table '\(name)' has a place")
            let end = try #require(parts[1].range(of: "<!-- end -->\n"))
            made = parts[0] + opening + "\n" + text + "\n" + parts[1][end.lowerBound...]
        }
        if ProcessInfo.processInfo.environment["SLUICE_WRITE_EXPECTED"] != nil {
            try made.write(to: Self.page, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: Self.page, encoding: .utf8) == made, "make docs writes the tables")
        #expect(page.components(separatedBy: ": made by make docs -->").count == ReferenceTables.all.count + 1)
    }
}
