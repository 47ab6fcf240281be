import SluiceRecords
import Testing

@testable import sluice

/// Runs that views look at.
enum TopSample {
    /// A run of a minute with a slow stage; half of it done.
    static func course(names: [String] = ["source", "score", "sink"], message: String = "not a number: 'x'") -> RunCourse {
        var course = RunCourse()
        (course.pipeline, course.compressedTotal, course.share, course.secondsLeft, course.age) = ("errors", 200_000_000, 0.5, 31, 4)
        course.steps =
            [RunCourse.Step(name: "reading", kind: .reading, workers: 2)]
            + names.enumerated().map { RunCourse.Step(name: $1, kind: $0 == 1 ? .own : .stage, workers: $0 == 1 ? 8 : 2, isResizable: $0 == 1) }
            + [RunCourse.Step(name: "writing", kind: .writing, workers: 1)]
        for second in 0...30 {
            var moment = RunCourse.Moment()
            let share = Double(second)
            let records = 10_000 * second + 200 * second * second
            (moment.time, moment.records, moment.written, moment.dead) = (share, records, records - 3 * second, 3 * second)
            (moment.textBytes, moment.compressedBytes, moment.memoryBytes) = (records * 300, records * 60, 61_000_000)
            moment.steps = course.steps.indices.map { index in
                RunCourse.Moment.Step(
                    queued: index == 2 ? 7 : 0, workers: index == 2 ? 4 : course.steps[index].workers,
                    busy: share * (index == 2 ? 3.9 : 0.2 * Double(index + 1)),
                    out: Double(records) * (index > 2 ? 0.9 : 1), dead: index == 2 ? 3 * second : 0)
            }
            course.moments.append(moment)
        }
        course.letters = [RunCourse.Letters(stage: names.count > 1 ? names[1] : names[0], code: "exec.reply", message: message, count: 90)]
        return course
    }

    static func view(isLive: Bool = true, columns: Int = 80, rows: Int = 24, _ course: RunCourse? = course(), keys: [Key] = []) -> TopView {
        var view = TopView(isLive: isLive)
        _ = view.handle(.size(columns: columns, rows: rows))
        if let course { _ = view.handle(.course(course)) }
        for key in keys { _ = view.handle(.key(key)) }
        return view
    }

    static func text(_ view: TopView) -> [String] { TopScreen(view: view).lines.map(\.text) }
}

@Suite("The view of a run")
struct TopViewTests {
    private static func view(_ keys: Key..., course: RunCourse = TopSample.course()) -> TopView { TopSample.view(course, keys: keys) }

    @Test("sorts by each column in turn, and back")
    func sorts() {
        var view = Self.view()
        #expect(view.sorted == [0, 1, 2, 3, 4])
        var orders: [String: [Int]] = [:]
        for _ in TopView.Order.allCases {
            _ = view.handle(.key(.character("s")))
            orders[view.order.rawValue] = view.sorted
        }
        #expect(view.order == .flow)
        #expect(orders["rate"] == [1, 2, 3, 0, 4] && orders["queue"] == [2, 0, 1, 3, 4] && orders["dead"] == [2, 0, 1, 3, 4])
        // Of two workers each, but for the one that writes.
        #expect(orders["busy"] == [4, 2, 3, 1, 0])
        _ = view.handle(.key(.character("S")))
        #expect(view.order == .dead)
    }

    @Test("chooses stages in the order that is shown, and keeps the choice by name")
    func selects() {
        var view = Self.view(.down, .down, .down)
        #expect(view.selected == 2)
        var other = TopSample.course()
        other.steps.insert(RunCourse.Step(name: "new", kind: .stage, workers: 1), at: 1)
        for index in other.moments.indices { other.moments[index].steps.insert(RunCourse.Moment.Step(), at: 1) }
        _ = view.handle(.course(other))
        #expect(view.selected == 3)
        for _ in 0..<9 { _ = view.handle(.key(.down)) }
        #expect(view.selected == 5)
        for _ in 0..<9 { _ = view.handle(.key(.up)) }
        #expect(view.selected == 0)
        #expect(Self.view(.up).selected == 4)
        other.steps.removeFirst(2)
        for index in other.moments.indices { other.moments[index].steps.removeFirst(2) }
        _ = view.handle(.course(other))
        #expect(view.selected == nil)
    }

    @Test("goes back in time and forth again, and then follows the run")
    func time() {
        var view = Self.view(.left, .left)
        #expect(view.position == 29)
        _ = view.handle(.key(.pageUp))
        #expect(view.position == 24)
        _ = view.handle(.key(.home))
        #expect(view.position == 0)
        _ = view.handle(.key(.left))
        #expect(view.position == 0 && view.span == 0...0)
        _ = view.handle(.key(.pageDown))
        #expect(view.position == 5 && view.span == 3...5)
        // A moment stays what it is while the run goes on.
        var more = TopSample.course()
        more.moments[30].time = 60
        _ = view.handle(.course(more))
        #expect(view.position == 5)
        _ = view.handle(.key(.end))
        #expect(view.position == nil && view.time == 60)
        _ = view.handle(.key(.right))
        #expect(view.position == nil)
    }

    @Test("takes the figures of a run that has ended over all of it")
    func ended() {
        var course = TopSample.course()
        #expect(Self.view(course: course).span == 28...30)
        course.phase = .ended(.complete)
        #expect(Self.view(course: course).span == 0...30)
        #expect(Self.view(.left, course: course).span.upperBound == 29.5)
    }

    @Test("drains after it has asked")
    func drains() {
        var view = Self.view(.character("d"))
        #expect(view.prompt == .confirm(.drain, question: "Stop reading, finish what is in flight and end the run? It can be resumed. y/n"))
        #expect(view.handle(.key(.character("n"))) == nil)
        #expect(view.prompt == nil && view.message == "nothing was done")
        _ = view.handle(.key(.character("d")))
        #expect(view.handle(.key(.enter)) == nil)
        _ = view.handle(.key(.character("d")))
        #expect(view.handle(.key(.character("y"))) == .drain)
        var draining = TopSample.course()
        draining.phase = .draining
        #expect(Self.view(.character("d"), course: draining).message == "the run is being drained already")
        draining.phase = .ended(.complete)
        #expect(Self.view(.character("d"), course: draining).message == "the run has ended")
    }

    @Test("resizes the chosen stage, and asks before it ends workers")
    func resizes() {
        #expect(Self.view(.character("+")).message == "choose a stage with the arrow keys")
        #expect(Self.view(.down, .character("+")).message == "the workers of 'reading' cannot be changed during the run")
        var view = Self.view(.down, .down, .down)
        #expect(view.handle(.key(.character("+"))) == .resize(stage: "score", workers: 5))
        #expect(view.handle(.key(.character("-"))) == nil)
        #expect(view.prompt == .confirm(.resize(stage: "score", workers: 3), question: "End 1 worker of 'score' after what they are at? y/n"))
        #expect(view.handle(.key(.character("Y"))) == .resize(stage: "score", workers: 3))
        for key in [Key.character("r"), .character("1"), .character("x"), .character("2"), .character("3"), .backspace] {
            #expect(view.handle(.key(key)) == nil)
        }
        #expect(view.prompt == .workers(stage: "score", digits: "12"))
        #expect(view.handle(.key(.enter)) == .resize(stage: "score", workers: 12))
        for key in [Key.character("r"), .character("1"), .enter] { #expect(view.handle(.key(key)) == nil) }
        #expect(view.prompt == .confirm(.resize(stage: "score", workers: 1), question: "End 3 workers of 'score' after what they are at? y/n"))
        for keys in [[Key.escape, .character("r"), .enter], [.character("r"), .character("0"), .enter], [.character("r"), .escape]] {
            for key in keys { #expect(view.handle(.key(key)) == nil) }
            #expect(view.prompt == nil)
        }
        var one = TopSample.course()
        one.moments[30].steps[2].workers = 1
        #expect(Self.view(.down, .down, .down, .character("-"), course: one).message == "a stage has at least 1 worker")
    }

    @Test("of files says why it cannot reach the run")
    func files() {
        for keys in [[Key.character("d")], [.down, .down, .down, .character("+")], [.down, .character("r")]] {
            let view = TopSample.view(isLive: false, keys: keys)
            #expect(view.message?.hasPrefix("this view only reads files") == true && view.prompt == nil)
        }
    }

    @Test("ends with q, Escape and Ctrl-C, also from help, and makes room for the shell with Ctrl-Z")
    func ends() {
        for (key, command) in [(Key.character("q"), TopView.Command.quit), (.escape, .quit), (.control("c"), .interrupt), (.control("z"), .suspend)] {
            var view = Self.view()
            #expect(view.handle(.key(key)) == command)
        }
        var view = Self.view(.character("?"))
        #expect(view.prompt == .help)
        #expect(view.handle(.key(.character("x"))) == nil && view.prompt == nil)
        _ = view.handle(.key(.character("?")))
        #expect(view.handle(.key(.character("q"))) == .quit)
        _ = view.handle(.key(.character("r")))
        #expect(view.handle(.key(.control("c"))) == .interrupt)
    }

    @Test("no sequence of keys, sizes and news is too much for it")
    func anything() {
        var random = SplitMix(state: 7)
        let keys: [Key] =
            "qsSzkj+-=rdgGyYn0129<>?h".map(Key.character) + [.up, .down, .left, .right, .home, .end, .pageUp, .pageDown, .enter, .escape, .backspace]
        var empty = TopSample.course()
        (empty.moments, empty.letters) = ([], [])
        var bare = RunCourse()
        bare.phase = .killed
        let courses = [TopSample.course(), empty, bare, TopSample.course(names: ["one"])]
        for isLive in [true, false] {
            var view = TopView(isLive: isLive)
            for _ in 0..<3_000 {
                switch random.unit {
                case ..<0.8: _ = view.handle(.key(keys[Int(random.unit * Double(keys.count))]))
                case ..<0.9: _ = view.handle(.size(columns: Int(random.unit * 120), rows: Int(random.unit * 40)))
                case ..<0.97: _ = view.handle(.course(courses[Int(random.unit * Double(courses.count))]))
                default: _ = view.handle(random.unit < 0.5 ? .problem("no\nconnection") : .done("done"))
                }
                let lines = TopScreen(view: view).lines
                #expect(lines.count == view.rows)
                #expect(lines.allSatisfy { TerminalText.width(of: $0.text) <= view.columns })
            }
        }
    }
}
