import Sluice
import Synchronization

/// A bounded list of reusable objects that are expensive to create.
///
/// `@unchecked Sendable`: an element belongs to the thread that took it until it is given back;
/// the list itself is locked.
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
