import Testing

@testable import Sluice

/// The window without threads: waiters are numbers, payloads texts.
@Suite("The window between reading and committing")
struct CommitWindowTests {
    typealias Window = CommitWindow<String, Int>

    func window(elements: Int = 8, weight: Int = .max, order: CommitOrder = .input, parts: Int = 1) -> Window {
        var window = Window(limits: WindowLimits(elements: elements, weight: weight), order: order)
        window.expect(parts: parts)
        return window
    }

    func taken(_ window: inout Window, _ count: Int = 32) -> [String] {
        var run: [Window.Commit] = []
        _ = window.take(count, into: &run)
        return run.map { commit in
            switch commit {
            case .payload(let payload): payload
            case .partEnded(let part): "end \(part)"
            }
        }
    }

    func isFinished(_ window: inout Window) -> Bool {
        var run: [Window.Commit] = []
        return window.take(1, into: &run).0 == .finished
    }

    @Test("nothing is committed before what was read before it")
    func order() {
        var window = window()
        #expect(window.openPart() == 0)
        for _ in 0..<3 {
            #expect(window.reserve(part: 0) == .granted)
            _ = window.admit(part: 0)
        }
        _ = window.settle(part: 0, sequence: 2, weight: 0, payload: "c")
        _ = window.settle(part: 0, sequence: 1, weight: 0, payload: "b")
        #expect(taken(&window).isEmpty)
        _ = window.settle(part: 0, sequence: 0, weight: 0, payload: "a")
        #expect(taken(&window) == ["a", "b", "c"])
        _ = window.end(part: 0)
        #expect(taken(&window) == ["end 0"])
        #expect(isFinished(&window))
    }

    @Test("nothing is read into a full window until what was taken has been committed")
    func bound() {
        var window = window(elements: 2)
        _ = window.openPart()
        for _ in 0..<2 {
            #expect(window.reserve(part: 0) == .granted)
            _ = window.admit(part: 0)
        }
        #expect(window.wait(part: 0, waiter: 7) == .wait)
        #expect(window.settle(part: 0, sequence: 0, weight: 0, payload: "a").readers.isEmpty)
        #expect(taken(&window) == ["a"])
        #expect(window.held.elements == 2)
        var none: [Window.Commit] = []
        let (take, wakes) = window.take(32, into: &none)
        #expect(take == .wait)
        #expect(wakes.map(\.waiter) == [7] && wakes.allSatisfy(\.granted))
        #expect(window.held.elements == 2, "the waiter has its place already")
    }

    @Test("what is being committed still counts")
    func committing() {
        var window = window(elements: 1, weight: 10)
        _ = window.openPart()
        _ = window.reserve(part: 0)
        _ = window.admit(part: 0)
        _ = window.reweigh(by: 20)
        _ = window.settle(part: 0, sequence: 0, weight: 20, payload: "a")
        #expect(taken(&window) == ["a"])
        #expect(window.wait(part: 0, waiter: 7) == .wait)
        var none: [Window.Commit] = []
        #expect(window.take(32, into: &none).1.map(\.waiter) == [7])
    }

    @Test("an element that leaves nothing to commit gives its place back at once")
    func dropped() {
        var window = window(elements: 1)
        _ = window.openPart()
        _ = window.reserve(part: 0)
        _ = window.admit(part: 0)
        #expect(window.wait(part: 0, waiter: 7) == .wait)
        #expect(window.settle(part: 0, sequence: 0, weight: 0, payload: nil).readers.map(\.waiter) == [7])
    }

    @Test("elements that were left out after a slow one still count, so that a slow head bounds the memory")
    func droppedBehindHead() {
        var window = window(elements: 3)
        _ = window.openPart()
        for _ in 0..<3 {
            _ = window.reserve(part: 0)
            _ = window.admit(part: 0)
        }
        _ = window.settle(part: 0, sequence: 1, weight: 0, payload: nil)
        _ = window.settle(part: 0, sequence: 2, weight: 0, payload: nil)
        #expect(window.held.elements == 3)
        _ = window.settle(part: 0, sequence: 0, weight: 0, payload: nil)
        #expect(window.held.elements == 0)
    }

    @Test("parts that are read ahead leave the last quarter to the first")
    func readAhead() {
        var window = window(elements: 8, parts: 2)
        #expect(window.openPart() == 0)
        #expect(window.openPart() == 1)
        #expect(window.openPart() == nil)
        var ahead = 0
        while window.reserve(part: 1) == .granted {
            _ = window.admit(part: 1)
            ahead += 1
        }
        #expect(ahead == 6)
        #expect(window.reserve(part: 0) == .granted)
        _ = window.admit(part: 0)
        #expect(window.reserve(part: 0) == .granted)
        _ = window.admit(part: 0)
        #expect(window.reserve(part: 0) == .wait)
    }

    @Test("by weight too; and the first part may always read on when it holds nothing")
    func weight() {
        var window = window(elements: 100, weight: 100, parts: 2)
        _ = window.openPart()
        _ = window.openPart()
        #expect(window.reserve(part: 1) == .granted)
        _ = window.admit(part: 1)
        _ = window.reweigh(by: 150)
        #expect(window.reserve(part: 1) == .wait)
        #expect(window.reserve(part: 0) == .granted, "it holds nothing")
        _ = window.admit(part: 0)
        #expect(window.wait(part: 0, waiter: 1) == .wait)
        #expect(window.wait(part: 1, waiter: 2) == .wait)
        #expect(window.reweigh(by: -80).readers.map(\.waiter) == [1], "room for the first part, not for the second")
        #expect(window.reweigh(by: -69).readers.map(\.waiter) == [2])
    }

    @Test("where any order will do, what is done first is committed first, and parts still end in order")
    func anyOrder() {
        var window = window(order: .any, parts: 2)
        for part in 0..<2 {
            _ = window.openPart()
            _ = window.reserve(part: part)
            _ = window.admit(part: part)
        }
        _ = window.settle(part: 1, sequence: 0, weight: 0, payload: "b")
        _ = window.end(part: 1)
        #expect(taken(&window) == ["b"])
        _ = window.settle(part: 0, sequence: 0, weight: 0, payload: "a")
        _ = window.end(part: 0)
        #expect(taken(&window) == ["a", "end 0", "end 1"])
    }

    @Test("after a stop, what was admitted is committed up to where reading broke off")
    func stop() {
        var window = window(parts: 3)
        for part in 0..<2 {
            _ = window.openPart()
            _ = window.reserve(part: part)
            _ = window.admit(part: part)
        }
        let waits = window.wait(committer: 9)
        #expect(waits)
        #expect(window.stop().readers.isEmpty)
        #expect(window.reserve(part: 0) == .refused)
        #expect(window.openPart() == nil)
        _ = window.cut(part: 0)
        _ = window.cut(part: 1)
        _ = window.settle(part: 1, sequence: 0, weight: 0, payload: "b")
        #expect(window.settle(part: 0, sequence: 0, weight: 0, payload: "a").committer == 9)
        #expect(taken(&window) == ["a"])
        #expect(isFinished(&window))
    }

    @Test("a closed window wakes everyone and forgets what still comes")
    func close() {
        var window = window(elements: 1)
        _ = window.openPart()
        _ = window.reserve(part: 0)
        _ = window.admit(part: 0)
        _ = window.wait(part: 0, waiter: 1)
        let waits = window.wait(committer: 2)
        #expect(waits)
        let actions = window.close()
        #expect(actions.readers.map(\.granted) == [false])
        #expect(actions.committer == 2)
        let late = window.settle(part: 0, sequence: 0, weight: 0, payload: "late")
        #expect(late.readers.isEmpty && late.committer == nil)
        #expect(isFinished(&window))
    }
}
