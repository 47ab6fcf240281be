import Testing

@testable import Sluice

/// Pipelines put together at random, against lists.
@Suite("Random pipelines")
struct ModelTests {
    @Test("write what a model of lists writes, dead letters and ends of parts included", arguments: 0..<150)
    func ordered(seed: Int) async throws {
        let plan = RandomPlan(seed: UInt64(seed))
        let (log, report) = try await plan.run(ordered: true)
        #expect(log == plan.expected, "\(plan)")
        #expect(report.balanced && report.open == 0, "\(plan)\n\(report)")
        #expect(report.read == plan.parts.reduce(0, +))
    }

    @Test("write the same elements when any order will do", arguments: 1_000..<1_050)
    func unordered(seed: Int) async throws {
        let plan = RandomPlan(seed: UInt64(seed))
        let (log, report) = try await plan.run(ordered: false)
        #expect(log.sorted() == plan.expected.sorted(), "\(plan)")
        #expect(log.filter { $0.hasPrefix("end") } == plan.expected.filter { $0.hasPrefix("end") })
        #expect(report.balanced && report.open == 0, "\(plan)\n\(report)")
    }

    @Test("end in order and in balance when they are drained anywhere", arguments: 2_000..<2_060)
    func drained(seed: Int) async throws {
        let plan = RandomPlan(seed: UInt64(seed))
        let control = RunControl()
        let (log, report) = try await plan.run(ordered: true, control: control, drainAfter: seed % 40)
        #expect(report.balanced, "\(plan)\n\(report)")
        if plan.hasBatches {
            // The last batch is written short.
            #expect(log.count <= plan.expected.count)
        } else {
            #expect(log == Array(plan.expected.prefix(log.count)), "\(plan)")
        }
    }
}

struct RandomPlan: CustomStringConvertible {
    enum Step {
        case add(Int), keep(Int), lose(Int), drop(Int), copies(Int), batches(Int), weigh
    }

    let seed: UInt64
    let parts: [Int]
    let readers: Int
    let window: WindowLimits
    let steps: [(step: Step, concurrency: Int, queue: Int)]

    init(seed: UInt64) {
        var random = SplitMix(state: seed)
        self.seed = seed
        parts = (0..<Int.random(in: 0...4, using: &random)).map { _ in Int.random(in: 0...60, using: &random) }
        readers = Int.random(in: 1...3, using: &random)
        window = WindowLimits(
            elements: Int.random(in: 1...40, using: &random),
            weight: Bool.random(using: &random) ? .max : Int.random(in: 1...300, using: &random))
        steps = (0..<Int.random(in: 0...5, using: &random)).map { _ in
            let number = Int.random(in: 2...5, using: &random)
            let all: [Step] = [
                .add(number), .keep(number), .lose(number), .drop(number), .copies(number - 2), .batches(number), .weigh,
            ]
            let step = all[Int.random(in: 0..<all.count, using: &random)]
            return (step, Int.random(in: 1...6, using: &random), Int.random(in: 1...8, using: &random))
        }
    }

    var description: String { "seed \(seed): parts \(parts), readers \(readers), \(window), \(steps.map(\.step))" }

    var hasBatches: Bool { steps.contains { if case .batches = $0.step { true } else { false } } }

    /// The log of the whole run, as lists would have it.
    var expected: [String] {
        var items: [Item] = []
        for (part, count) in parts.enumerated() {
            for index in 0..<count { items.append(.value(part * 1_000 + index)) }
            items.append(.end(part))
        }
        for (number, step) in steps.enumerated() { items = Self.apply(step.step, number, to: items) }
        return items.map { item in
            switch item {
            case .value(let value): "\(value)"
            case .dead(let text): text
            case .end(let part): "end \(part)"
            }
        }
    }

    private enum Item {
        case value(Int), dead(String), end(Int)
    }

    private static func apply(_ step: Step, _ number: Int, to items: [Item]) -> [Item] {
        if case .batches(let count) = step { return batched(items, count) }
        return items.flatMap { item -> [Item] in
            guard case .value(let value) = item else { return [item] }
            switch step {
            case .add(let amount): return [.value(value + amount)]
            case .keep(let divisor), .drop(let divisor): return value % divisor == 1 ? [] : [item]
            case .lose(let divisor): return value % divisor == 1 ? [.dead("dead \(value) in \(number)")] : [item]
            case .copies(let count): return Array(repeating: item, count: count)
            case .weigh, .batches: return [item]
            }
        }
    }

    /// Batched and taken apart again: letters overtake the batch that is being gathered.
    private static func batched(_ items: [Item], _ count: Int) -> [Item] {
        var result: [Item] = []
        var gathered: [Item] = []
        for item in items {
            switch item {
            case .value:
                gathered.append(item)
                if gathered.count < count { continue }
                result += gathered
                gathered = []
            case .dead: result.append(item)
            case .end:
                result += gathered + [item]
                gathered = []
            }
        }
        return result + gathered
    }

    func run(
        ordered: Bool, control: RunControl = RunControl(), drainAfter: Int = .max
    ) async throws -> ([String], Report) {
        let sink = DrainingLog(control: control, drainAfter: drainAfter)
        var pipeline = Pipeline.reading(parts: parts.enumerated().map(Self.part), concurrency: readers)
        for (number, (step, concurrency, queue)) in steps.enumerated() {
            pipeline = Self.extend(pipeline, step, "\(number)", .exactly(concurrency), queue)
        }
        if !ordered { pipeline = pipeline.unordered() }
        let report =
            try await pipeline
            .window(elements: window.elements, weight: window.weight)
            .deadLetters { sink.note("dead \($0.element) in \($0.stage)") }
            .writing(to: sink)
            .run(control)
        return (sink.lines.all, report)
    }

    private static func part(_ number: Int, _ count: Int) -> Part<Int> {
        Part {
            var numbers = (0..<count).makeIterator()
            return { numbers.next().map { number * 1_000 + $0 } }
        }
    }

    private static func extend(
        _ pipeline: Pipeline<Int>, _ step: Step, _ name: String, _ concurrency: Concurrency, _ queue: Int
    ) -> Pipeline<Int> {
        switch step {
        case .add(let amount):
            pipeline.map(name, concurrency: concurrency, queue: queue, timeout: .seconds(10_000)) { $0 + amount }
        case .keep(let divisor):
            pipeline.filter(name, concurrency: concurrency, queue: queue) { $0 % divisor != 1 }
        case .lose(let divisor):
            pipeline.map(name, concurrency: concurrency, queue: queue) { number in
                if number % divisor == 1 { throw Odd(number: number) }
                return number
            }
        case .drop(let divisor):
            pipeline.compactMap(name, concurrency: concurrency, queue: queue, onError: .drop) { number -> Int? in
                if number % divisor == 1 { throw Odd(number: number) }
                return number
            }
        case .copies(let count):
            pipeline.flatMap(name, concurrency: concurrency, queue: queue) { repeatElement($0, count: count) }
        case .batches(let count): pipeline.batched(count).unbatched()
        case .weigh: pipeline.weighing { $0 % 50 }
        }
    }
}

struct DrainingLog: Sink {
    let lines = Log<String>()
    let control: RunControl
    let drainAfter: Int

    func write(_ element: Int) async throws { note("\(element)") }

    func partEnded(_ part: Int) async throws { note("end \(part)") }

    func note(_ line: String) {
        lines.add(line)
        if lines.all.count == drainAfter { control.drain() }
    }
}

/// "Fast Splittable Pseudorandom Number Generators", Steele, Lea, Flood, 2014.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
