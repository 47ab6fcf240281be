import Sluice
import Synchronization

/// Things that are dear to make and used one batch at a time.
///
/// `@unchecked Sendable`: what is taken belongs to the taker until it is given back; the list
/// itself is under a lock.
final class FreeList<Element>: @unchecked Sendable {
    private let free = Locked<[Box]>([])
    private let most: Int

    private struct Box: @unchecked Sendable {
        var element: Element
    }

    init(most: Int) {
        self.most = most
    }

    func take() -> Element? {
        free.withLock { $0.popLast() }?.element
    }

    func give(_ element: Element) {
        let box = Box(element: element)
        free.withLock { if $0.count < most { $0.append(box) } }
    }
}
