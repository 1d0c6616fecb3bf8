"""How a call waits for the library, in place of what UniFFI generates for it.

What it generates loses what a call has made that is cancelled in its last moment, waits on the wrong event loop when there are two,
calls Python while its process ends, and waits for ever in a process that was forked.
"""

import asyncio
import atexit
import ctypes
import itertools
import os
import threading
from typing import Any, Callable, Dict, Tuple

from ._native import fieldpost_ffi as native

# Dictionaries and this counter need no lock: each of their operations is atomic. With a lock, a finalizer that runs inside it and
# ends a call would wait for itself.
_numbers = itertools.count(1)

#: Who waits for the library: the event loop, and the future that wakes the call.
_waiting: Dict[int, Tuple[asyncio.AbstractEventLoop, "asyncio.Future[int]"]] = {}

#: The calls that are under way, with the function that frees each. Only whoever takes one out may free it.
_under_way: Dict[int, Tuple[Any, Callable[[Any], None]]] = {}

#: Held while the library may call Python on the thread that has called it. When Python ends it is held for good.
_inside = threading.RLock()


class _Process:
    """What this process has done."""

    #: A call was made, so the library has threads.
    has_called = False
    #: Another process has made calls, and this one was forked from it.
    was_forked = False
    #: Python ends.
    is_over = False


@native._UNIFFI_RUST_FUTURE_CONTINUATION_CALLBACK
def _go_on(number: int, code: int) -> None:
    """The library calls this on a thread of its own."""
    waiting = _waiting.pop(number, None)
    if waiting is None:
        return  # Python ends.
    loop, future = waiting
    try:
        loop.call_soon_threadsafe(_wake, future, code)
    except RuntimeError:
        pass  # The event loop was closed, so nobody waits any more.


def _wake(future: "asyncio.Future[int]", code: int) -> None:
    if not future.done():
        future.set_result(code)


async def call(
    rust_future: Any,
    poll: Callable[..., None],
    complete: Callable[..., Any],
    free: Callable[[Any], None],
    lift: Callable[[Any], Any],
    error_converter: Any,
) -> Any:
    """Waits for a call, on the event loop that runs. A call that is cancelled gives back what it has made."""
    _Process.has_called = True
    number = next(_numbers)
    _under_way[number] = (rust_future, free)
    try:
        try:
            await _ready(rust_future, poll)
        except BaseException:
            if not _Process.was_forked and number in _under_way:
                _give_back(rust_future, complete, lift)
            raise
        return lift(native._uniffi_rust_call_with_error(error_converter, complete, rust_future))
    finally:
        if not _Process.was_forked and _under_way.pop(number, None):
            with _inside:
                free(rust_future)


async def _ready(rust_future: Any, poll: Callable[..., None]) -> None:
    loop = asyncio.get_running_loop()
    code = None
    while code != native._UNIFFI_RUST_FUTURE_POLL_READY:
        future: "asyncio.Future[int]" = loop.create_future()
        number = next(_numbers)
        with _inside:
            if _Process.is_over:
                raise RuntimeError("the process ends, and nothing can be called any more")
            _waiting[number] = (loop, future)
            poll(rust_future, _go_on, number)
        code = await future


def _give_back(rust_future: Any, complete: Callable[..., Any], lift: Callable[[Any], Any]) -> None:
    """Takes the result of a call that nobody waits for. The library does not: an object would live for ever."""
    status = native._UniffiRustCallStatus.default()
    result = complete(rust_future, ctypes.byref(status))
    if status.code == native._UniffiRustCallStatus.CALL_SUCCESS:
        lift(result)
    elif status.error_buf.len:
        status.error_buf.free()


def _end() -> None:
    """While Python ends, no thread of the library may call it: that would end the process by a signal."""
    if _Process.was_forked:
        return
    _inside.acquire()
    _Process.is_over = True
    native.stop_listening()
    _waiting.clear()
    while _under_way:
        _, (rust_future, free) = _under_way.popitem()
        getattr(native._UniffiLib, free.__name__.replace("_free_", "_cancel_"))(rust_future)


def _after_fork() -> None:
    """In a process that was forked the library has no threads, so each call would wait for ever."""
    if _Process.has_called:
        _Process.was_forked = True
        native._uniffi_rust_call_with_error = _refuse


def was_forked() -> bool:
    """Whether this process was forked from one that has used the library."""
    return _Process.was_forked


def _refuse(_: Any, function: Any, *__: Any) -> None:
    # What the other process has, it gives back itself.
    if "_fn_free_" not in function.__name__:
        raise RuntimeError(
            "fieldpost was used before this process was forked, and works only in the process before; start processes with "
            "multiprocessing's method 'spawn', or fork before the first call"
        )


def install() -> None:
    """Puts it in the place of what is generated."""
    native._uniffi_rust_call_async = call
    atexit.register(_end)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
