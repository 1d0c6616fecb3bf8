"""Watches: async iterators of updates."""

import asyncio
import weakref
from collections import deque
from typing import Any, Deque, Generic, Optional, TypeVar

from ._native.fieldpost_ffi import Failure

T = TypeVar("T")


class WatchError(Exception):
    """Reading a change has failed. The watch goes on: the next update brings what was missed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.kind = failure.kind
        self.retry = failure.retry
        self.reason = failure.reason


class Listener:
    """Passes on what the library tells, on a thread of the library, for as long as somebody has the watch."""

    def __init__(self, watch: "Watch[Any]") -> None:
        self._watch = weakref.ref(watch)

    def on_update(self, update: Any) -> None:
        watch = self._watch()
        if watch is not None:
            watch.on_update(update)

    def on_error(self, failure: Failure) -> None:
        watch = self._watch()
        if watch is not None:
            watch.on_error(failure)

    def on_end(self) -> None:
        watch = self._watch()
        if watch is not None:
            watch.on_end()


class Watch(Generic[T]):
    """Updates, the first of which is what is there now. Iterate it, and cancel it or leave its ``async with`` when done.

    It ends when the client is shut down, and when nobody has it any more. The library reads again only when the last update
    has arrived here, so what changes meanwhile comes as one update. What is not read waits in memory.
    """

    def __init__(self) -> None:
        self.listener = Listener(self)
        self._loop = asyncio.get_running_loop()
        self._subscription: Any = None
        self._waiting: Deque[Any] = deque()
        self._something = asyncio.Event()
        self._ended = False

    # The library calls these three on a thread of its own.

    def on_update(self, update: T) -> None:
        self._arrive(update)

    def on_error(self, failure: Failure) -> None:
        self._arrive(WatchError(failure))

    def on_end(self) -> None:
        self._call(self._end)

    def _arrive(self, what: Any) -> None:
        self._call(self._put, what)

    def _call(self, function: Any, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            # The event loop was closed, so nobody reads any more.
            self.cancel()

    def _put(self, what: Any) -> None:
        if not self._ended:
            self._waiting.append(what)
            self._something.set()

    def _end(self) -> None:
        self._ended = True
        self._something.set()

    def _following(self, subscription: Any) -> "Watch[T]":
        self._subscription = subscription
        return self

    def cancel(self) -> None:
        """Ends the watch; a loop over it ends too."""
        if self._subscription is not None:
            self._subscription.cancel()
        try:
            self._loop.call_soon_threadsafe(self._end)
        except RuntimeError:
            pass

    @property
    def subscription(self) -> Any:
        """The subscription, for whoever wants to know whether it is active."""
        return self._subscription

    def __aiter__(self) -> "Watch[T]":
        return self

    async def __anext__(self) -> T:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
        what = self._waiting.popleft()
        if isinstance(what, WatchError):
            raise what
        return what

    async def __aenter__(self) -> "Watch[T]":
        return self

    async def __aexit__(self, *_: Optional[object]) -> None:
        self.cancel()
