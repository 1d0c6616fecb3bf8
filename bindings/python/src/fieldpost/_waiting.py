"""What a watch keeps until it is read. It does not grow for as long as nobody reads."""

from collections import deque
from typing import Any, Callable, Deque, Dict, Generic, List, Optional, Sequence, TypeVar, Union

from ._native.fieldpost_ffi import OutboxEvent
from .diffs import apply

T = TypeVar("T")

#: How many updates wait as they came.
LIMIT = 100

#: How many entries that have left the outbox are remembered.
LEFT = 1000


class Waiting(Generic[T]):
    """Updates in their order. Errors wait among them."""

    def __init__(self) -> None:
        self._line: Deque[Union[T, Exception]] = deque()

    def __len__(self) -> int:
        return len(self._line)

    def put(self, what: Union[T, Exception]) -> None:
        self._line.append(what)
        if len(self._line) > LIMIT:
            self._shorten()

    def take(self) -> Union[T, Exception]:
        return self._line.popleft()

    def clear(self) -> None:
        self._line.clear()

    def _shorten(self) -> None:
        raise NotImplementedError

    def _replace(self, updates: Sequence[T]) -> None:
        """Keeps these updates, after the last error."""
        errors = [one for one in self._line if isinstance(one, Exception)]
        self._line = deque([*errors[-1:], *updates])


class States(Waiting[T]):
    """Each update is all that there is, so the last one is enough."""

    def put(self, what: Union[T, Exception]) -> None:
        if isinstance(what, Exception):
            self._line = deque(one for one in self._line if not isinstance(one, Exception))
            self._line.append(what)
        else:
            self._replace([what])


class Lists(Waiting[T]):
    """Each update changes a list. Too many of them become one, which is a reset."""

    def __init__(self, diffs: Callable[[T], Sequence[Any]], reset: Callable[[List[Any], T], T]) -> None:
        super().__init__()
        self._diffs, self._reset = diffs, reset
        #: The list after the last update; None before the first reset.
        self._items: Optional[List[Any]] = None
        self._last: Any = None

    def put(self, what: Union[T, Exception]) -> None:
        if not isinstance(what, Exception):
            diffs, self._last = self._diffs(what), what
            if self._items is None and diffs and diffs[0].is_reset():
                self._items = []
            if self._items is not None:
                apply(self._items, diffs)
        super().put(what)

    def _shorten(self) -> None:
        if self._items is not None:
            self._replace([self._reset(list(self._items), self._last)])


class Events(Waiting[OutboxEvent]):
    """Each update is an event of an entry. Too many of them become one for each entry, and the oldest that have left go."""

    def __init__(self) -> None:
        super().__init__()
        self._limit = LIMIT

    def put(self, what: Union[OutboxEvent, Exception]) -> None:
        self._line.append(what)
        if len(self._line) > self._limit:
            self._shorten()

    def _shorten(self) -> None:
        events: Dict[str, OutboxEvent] = {}
        for event in self._line:
            if not isinstance(event, Exception):
                entry = event.entry.mutation_id
                before = events.pop(entry, None)
                unheard = before is not None and before.is_waits() and event.is_changed()
                events[entry] = OutboxEvent.WAITS(event.entry) if unheard else event
        left = [entry for entry, event in events.items() if event.is_left()]
        for entry in left[:-LEFT]:
            del events[entry]
        self._replace(list(events.values()))
        # So that each event is looked at only twice or so.
        self._limit = max(LIMIT, 2 * len(self._line))
