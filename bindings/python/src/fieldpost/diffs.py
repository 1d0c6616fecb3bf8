"""Changes of lists."""

from typing import Any, List, Sequence, overload

from ._native.fieldpost_ffi import (
    ConversationDiff,
    ConversationSummary,
    MessageDiff,
    Record,
    RecordDiff,
    ThreadMessage,
    TimelineDiff,
    TimelineItem,
)


@overload
def apply(items: List[ConversationSummary], diffs: Sequence[ConversationDiff]) -> List[ConversationSummary]: ...
@overload
def apply(items: List[ThreadMessage], diffs: Sequence[MessageDiff]) -> List[ThreadMessage]: ...
@overload
def apply(items: List[TimelineItem], diffs: Sequence[TimelineDiff]) -> List[TimelineItem]: ...
@overload
def apply(items: List[Record], diffs: Sequence[RecordDiff]) -> List[Record]: ...
def apply(items: List[Any], diffs: Sequence[Any]) -> List[Any]:
    """Applies the diffs of a watch to the list before, in place, and returns it."""
    for diff in diffs:
        _APPLY[type(diff).__name__.rsplit(".", 1)[-1]](items, diff)
    return items


def _insert(items: List[Any], diff: Any) -> None:
    items.insert(diff.index, diff.value)


def _set(items: List[Any], diff: Any) -> None:
    items[diff.index] = diff.value


_APPLY = {
    "RESET": lambda items, diff: items.__setitem__(slice(None), diff.values),
    "APPEND": lambda items, diff: items.extend(diff.values),
    "CLEAR": lambda items, diff: items.clear(),
    "PUSH_FRONT": lambda items, diff: items.insert(0, diff.value),
    "PUSH_BACK": lambda items, diff: items.append(diff.value),
    "POP_FRONT": lambda items, diff: items.pop(0),
    "POP_BACK": lambda items, diff: items.pop(),
    "INSERT": _insert,
    "SET": _set,
    "REMOVE": lambda items, diff: items.pop(diff.index),
    "TRUNCATE": lambda items, diff: items.__delitem__(slice(diff.length, None)),
}
