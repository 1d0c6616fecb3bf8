import FieldpostFFI

/// One change of a list.
public enum ListChange<Item: Sendable>: Sendable {
    case reset([Item])
    case append([Item])
    case clear
    case pushFront(Item)
    case pushBack(Item)
    case popFront
    case popBack
    case insert(Int, Item)
    case set(Int, Item)
    case remove(Int)
    case truncate(Int)
}

/// A change of one of the library's lists.
public protocol ListDiff: Sendable {
    associatedtype Item: Sendable

    /// The same change, for every kind of list.
    var change: ListChange<Item> { get }

    /// The change that makes a list this one, whatever it was.
    static func reset(values: [Item]) -> Self
}

extension Array where Element: Sendable {
    /// Applies the changes of a watch to the list before.
    public mutating func apply<Diff: ListDiff>(_ diffs: [Diff]) where Diff.Item == Element {
        for diff in diffs {
            apply(diff.change)
        }
    }

    private mutating func apply(_ change: ListChange<Element>) {
        switch change {
        case .reset(let items): self = items
        case .append(let items): append(contentsOf: items)
        case .clear: removeAll()
        case .pushFront(let item): insert(item, at: 0)
        case .pushBack(let item): append(item)
        case .popFront: removeFirst()
        case .popBack: removeLast()
        case .insert(let index, let item): insert(item, at: index)
        case .set(let index, let item): self[index] = item
        case .remove(let index): remove(at: index)
        case .truncate(let length): removeLast(count - length)
        }
    }
}

extension ConversationDiff: ListDiff {
    public var change: ListChange<ConversationSummary> {
        switch self {
        case .reset(let values): .reset(values)
        case .append(let values): .append(values)
        case .clear: .clear
        case .pushFront(let value): .pushFront(value)
        case .pushBack(let value): .pushBack(value)
        case .popFront: .popFront
        case .popBack: .popBack
        case .insert(let index, let value): .insert(Int(index), value)
        case .set(let index, let value): .set(Int(index), value)
        case .remove(let index): .remove(Int(index))
        case .truncate(let length): .truncate(Int(length))
        }
    }
}

extension MessageDiff: ListDiff {
    public var change: ListChange<ThreadMessage> {
        switch self {
        case .reset(let values): .reset(values)
        case .append(let values): .append(values)
        case .clear: .clear
        case .pushFront(let value): .pushFront(value)
        case .pushBack(let value): .pushBack(value)
        case .popFront: .popFront
        case .popBack: .popBack
        case .insert(let index, let value): .insert(Int(index), value)
        case .set(let index, let value): .set(Int(index), value)
        case .remove(let index): .remove(Int(index))
        case .truncate(let length): .truncate(Int(length))
        }
    }
}

extension TimelineDiff: ListDiff {
    public var change: ListChange<TimelineItem> {
        switch self {
        case .reset(let values): .reset(values)
        case .append(let values): .append(values)
        case .clear: .clear
        case .pushFront(let value): .pushFront(value)
        case .pushBack(let value): .pushBack(value)
        case .popFront: .popFront
        case .popBack: .popBack
        case .insert(let index, let value): .insert(Int(index), value)
        case .set(let index, let value): .set(Int(index), value)
        case .remove(let index): .remove(Int(index))
        case .truncate(let length): .truncate(Int(length))
        }
    }
}

extension RecordDiff: ListDiff {
    public var change: ListChange<Record> {
        switch self {
        case .reset(let values): .reset(values)
        case .append(let values): .append(values)
        case .clear: .clear
        case .pushFront(let value): .pushFront(value)
        case .pushBack(let value): .pushBack(value)
        case .popFront: .popFront
        case .popBack: .popBack
        case .insert(let index, let value): .insert(Int(index), value)
        case .set(let index, let value): .set(Int(index), value)
        case .remove(let index): .remove(Int(index))
        case .truncate(let length): .truncate(Int(length))
        }
    }
}

extension ConversationSummary: Identifiable {}

extension ThreadMessage: Identifiable {}

extension Record: Identifiable {}

extension TimelineItem: Identifiable {
    /// The same as long as the item is in the timeline.
    public var id: ItemId {
        switch self {
        case .start: .start
        case .loading(let direction): .loading(direction: direction)
        case .day(let day): .day(day: day)
        case .unread: .unread
        case .gap(let from, _, _): .gap(from: from)
        case .message(let message, _, _): .message(id: message.id)
        }
    }
}
