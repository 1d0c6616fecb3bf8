"""Watches: async iterators of updates."""

import asyncio
import threading
import weakref
from typing import Any, Generic, List, Optional, TypeVar

from ._native.fieldpost_ffi import Ends, Failure, ItemId, OpenAt, OutboxEntry, TimelineUpdate
from ._waiting import Waiting
from .errors import WatchError

T = TypeVar("T")


class Listener:
    """Passes on what the library tells, on a thread of the library, for as long as somebody has the watch."""

    def __init__(self, watch: "Watch[Any]") -> None:
        self._watch = weakref.ref(watch)

    def on_update(self, update: Any) -> None:
        watch = self._watch()
        if watch is not None:
            watch._arrive(update)

    def on_error(self, failure: Failure) -> None:
        watch = self._watch()
        if watch is not None:
            watch._arrive(WatchError(failure))

    def on_end(self) -> None:
        watch = self._watch()
        if watch is not None:
            watch._end()


class Watch(Generic[T]):
    """Updates, the first of which is what is there now. Iterate it, and cancel it or leave its ``async with`` when done.

    It ends when the client is shut down, and when nobody has it any more. It is read on the event loop in which it was opened.
    Whoever reads slowly misses nothing that matters: of a status or a number only the last one waits; of a list, up to 100 updates
    and then one that resets it; of the outbox, up to 100 events and then one for each entry.
    """

    def __init__(self, waiting: Waiting[T]) -> None:
        self._listener = Listener(self)
        self._loop = asyncio.get_running_loop()
        self._subscription: Any = None
        self._waiting = waiting
        self._something = asyncio.Event()
        self._waking = False
        self._ended = False
        # The thread of the library writes, the one of the event loop reads. A finalizer may cancel it anywhere.
        self._lock = threading.RLock()

    def _arrive(self, what: Any) -> None:
        with self._lock:
            if self._ended:
                return
            self._waiting.put(what)
            self._wake()

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            self._wake()

    def _wake(self) -> None:
        # Once is enough for all that comes before the event loop runs again.
        if self._waking:
            return
        self._waking = True
        try:
            self._loop.call_soon_threadsafe(self._awake)
        except RuntimeError:
            # The event loop was closed, so nobody reads any more.
            self._ended = True
            self._waiting.clear()
            self._unsubscribe()

    def _awake(self) -> None:
        with self._lock:
            self._waking = False
            self._something.set()

    def _following(self, subscription: Any) -> "Watch[T]":
        self._subscription = subscription
        if self._ended:
            # The event loop was closed before the call returned.
            self._unsubscribe()
        return self

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._subscription.cancel()

    def cancel(self) -> None:
        """Ends the watch at once; a loop over it ends too. Any thread may call it."""
        with self._lock:
            self._waiting.clear()
            self._end()
        self._unsubscribe()

    def is_active(self) -> bool:
        """Whether updates may still come."""
        return not self._ended and self._subscription.is_active()

    def __aiter__(self) -> "Watch[T]":
        return self

    async def __anext__(self) -> T:
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("a watch is read on the event loop in which it was opened")
        while True:
            with self._lock:
                if self._waiting:
                    what = self._waiting.take()
                    break
                if self._ended:
                    raise StopAsyncIteration
                self._something.clear()
            await self._something.wait()
        if isinstance(what, Exception):
            raise what
        return what

    async def __aenter__(self) -> "Watch[T]":
        return self

    async def __aexit__(self, *_: Optional[object]) -> None:
        self.cancel()


class Timeline(Watch[TimelineUpdate]):
    """A timeline: a watch whose updates change a list of items, and which is moved with its methods."""

    async def __aenter__(self) -> "Timeline":
        return self

    def ends(self) -> Ends:
        """What is beyond its ends, as last drawn."""
        return self._subscription.ends()

    async def paginate_backwards(self) -> bool:
        """Shows older messages. Returns false if there are none.

        Fails with ``ErrorKind.OFFLINE`` if they are on the server and there is no network.
        """
        return await self._subscription.paginate_backwards()

    async def paginate_forwards(self) -> bool:
        """Shows newer messages, if it does not follow the end. Returns false if there are none."""
        return await self._subscription.paginate_forwards()

    async def go_to(self, place: OpenAt) -> None:
        """Moves it to another place. Fails with ``ErrorKind.NOT_FOUND``."""
        await self._subscription.go_to(place)

    async def fill_gap(self, item: ItemId) -> bool:
        """Fetches messages of a gap; call it again while the gap is there. Returns false if it is gone.

        Fails with ``ErrorKind.NOT_FOUND`` if the item is no gap, and with ``ErrorKind.OFFLINE``.
        """
        return await self._subscription.fill_gap(item)

    async def retry(self, item: ItemId) -> OutboxEntry:
        """Sends a refused message again. Fails with ``ErrorKind.NOT_FOUND`` if the item is no message."""
        return await self._subscription.retry(item)

    async def take_back(self, item: ItemId) -> List[OutboxEntry]:
        """Takes a message back that has not reached the server. Returns what left the outbox."""
        return await self._subscription.take_back(item)
