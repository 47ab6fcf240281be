import Foundation
import SluiceCEL
import Testing

@testable import SluiceRecords

@Suite("Inferred types")
struct FieldInferenceTests {
    private static func inference(_ values: [String]) -> FieldInference {
        var inference = FieldInference()
        for value in values {
            let buffer = ByteBuffer(capacity: value.utf8.count)
            Array(value.utf8).withUnsafeBufferPointer { buffer.append($0) }
            buffer.withFilled { inference.take($0) }
        }
        return inference
    }

    @Test(
        "a field has the type of all its values, if they are written back without loss",
        arguments: [
            (["1", "-7", "0"], "int"), (["9223372036854775807"], "int"), (["9223372036854775808"], "string"), (["12345678901234567890"], "string"),
            (["007"], "string"), (["1", "08"], "string"), (["+5"], "string"), (["1.5", "2"], "double"), (["1e5"], "double"), ([".5"], "string"),
            (["1."], "string"), (["0x1F"], "string"), (["1_000"], "string"), (["1,5"], "string"), (["1e400"], "string"), (["-0"], "double"),
            (["9007199254740993"], "int"), (["9007199254740993", "1.5"], "string"), (["9007199254740992", "1.5"], "double"),
            (["nan"], "string"), (["NaN", "1"], "double"), (["inf", "-Infinity", "0.5"], "double"), (["true", "FALSE"], "bool"), (["t"], "string"),
            (["1", "true"], "string"), (["nan", "true"], "string"), (["2025-10-10T13:55:36Z", "2025-10-10 13:55:36+02:00"], "timestamp"),
            (["2025-10-10"], "string"), (["2025-10-10T13:55:36Z", "1"], "string"), (["NA", "1"], "string"), (["NULL"], "string"), (["\\N"], "string"),
            (["null"], "string"), (["", "1"], "string"), ([""], "string"), ([], "string"), ([" 1"], "string"), (["1 "], "string"), (["é"], "string"),
        ] as [([String], String)])
    func types(values: [String], type: String) {
        #expect(Self.inference(values).type.rawValue == type)
    }

    @Test(
        "the only word that keeps a field from having a type",
        arguments: [
            (["1", "NA", "2.5", "NA"], "NA"), (["", "1"], ""), (["true", "-"], "-"), (["NA"], nil), (["NA", "-", "1"], nil), (["1", "2"], nil),
            (["1", "true", "NA"], nil), (["1", "some longer text"], nil), (["007", "1"], "007"),
        ] as [([String], String?)])
    func onlyText(values: [String], word: String?) {
        #expect(Self.inference(values).onlyText == word)
    }

    /// The first batch of a text.
    private static func sample(_ text: String, _ format: any Format) throws -> Batch {
        var configuration = BatchReader.Configuration(spillFolder: "/tmp")
        configuration.framing = format.framing
        let bytes = Array(text.utf8)
        var isRead = false
        let window = InputWindow(chunk: bytes.count + 1) { memory in
            defer { isRead = true }
            bytes.withUnsafeBytes { if !isRead { memory.copyMemory(from: $0) } }
            return isRead ? 0 : bytes.count
        }
        let reader = try BatchReader(
            InputFile(path: "in"), index: 0, configuration: configuration, buffers: BufferPool(capacity: Batch.targetBytes, most: 1), window: window,
            bytes: nil)
        return try #require(try reader.next())
    }

    @Test("absent values have no type, null words are text unless 'nulls' has them, and records that fail say nothing")
    func absent() throws {
        let infer = ["types": CSVOptions.text("infer")]
        let text = "a,b,c,d\n1,,NA,\"\"\n,2.5,3,x\n1,2,3\n9,\"4\",5,1\n"
        let csv = try CSV.with(infer)
        #expect(csv.infersTypes)
        #expect(csv.inferring(from: try Self.sample(text, csv)).types.map(\.type.rawValue) == ["int", "double", "string", "string"])
        let nulls = try CSV.with(infer.merging(["nulls": CSVOptions.texts(["", "NA"])]) { $1 })
        let found = nulls.inferring(from: try Self.sample(text, nulls))
        #expect(found.types.map(\.type.rawValue) == ["int", "double", "int", "string"])
        #expect(csv.inferring(from: try Self.sample(text, csv)).types.map(\.onlyText) == [nil, nil, "NA", nil])
        let completed = try #require(found.format as? any HeadedFormat).completed(by: FileHead(Array("c,a,z".utf8)))
        let decoder = completed.makeDecoder(columns: ["a", "c", "z"], spans: false)
        #expect(decode(Array("7,8,9".utf8), columns: ["a", "c", "z"], with: decoder).cells == [.int(8), .int(7), .string("9")])
        #expect(decode(Array("x,8,9".utf8), columns: ["a", "c", "z"], with: decoder).message == "column 'c': expected an int of 64 bits, found 'x'")
    }

    @Test("tsv infers, too, but not what the '#' lines of a log say")
    func tsv() throws {
        let tsv = try TSV.with(["types": CSVOptions.text("infer")])
        #expect(tsv.inferring(from: try Self.sample("a\tb\n1\t\\N\n2\tx\n", tsv)).types.map(\.type.rawValue) == ["int", "string"])
        #expect(tsv.inferring(from: try Self.sample("#separator \\x09\n#fields\ta\n#types\tstring\n1\n", tsv)).types.isEmpty)
        #expect(tsv.inferring(from: try Self.sample("#Fields: a b\n1 -\n", tsv)).types.map(\.type.rawValue) == ["int", "string"])
    }

    @Test("before a file is read, the fields may be of any type")
    func schema() throws {
        let format = try CSV.with(["types": CSVOptions.text("infer"), "columns": CSVOptions.texts(["a"])])
        #expect(format.schema.type(of: "a") == .dyn)
    }
}
