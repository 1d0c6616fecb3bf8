"""How the library asks the app for a token or a secret, in place of what UniFFI generates for it.

What it generates knows one event loop for the whole process, says nothing to the library when that was closed or the question was
cancelled, and prints what an app throws on the standard error output.
"""

import asyncio
import itertools
from concurrent import futures
from typing import Any, Awaitable, Callable, Dict, NamedTuple, Tuple

from ._native import fieldpost_ffi as native

_numbers = itertools.count(1)

#: The answers that the library waits for.
_answers: Dict[int, Tuple[asyncio.AbstractEventLoop, "futures.Future[None]"]] = {}


class Question(NamedTuple):
    """A method of the app, and where it is called."""

    loop: asyncio.AbstractEventLoop
    method: Callable[..., Awaitable[Any]]
    arguments: Tuple[Any, ...]

    async def answer(self) -> Any:
        return await self.method(*self.arguments)


class OnItsLoop:
    """Something of the app. It is asked on the event loop in which it was given to the library."""

    def __init__(self, app: Any, *methods: str) -> None:
        missing = [name for name in methods if not callable(getattr(app, name, None))]
        if missing:
            raise TypeError(f"{type(app).__name__} has no method {missing[0]}()")
        self._app, self._loop = app, asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Callable[..., Question]:
        method, loop = getattr(self._app, name), self._loop
        return lambda *arguments: Question(loop, method, arguments)


def ask(
    question: Callable[[], Question],
    dropped: Any,
    succeed: Callable[[Any], None],
    fail: Callable[[int, Any], None],
    error_type: Any,
    lower_error: Callable[[Any], Any],
) -> None:
    """Asks on the event loop of the question. The library calls this on a thread of its own."""
    asked = question()

    def unavailable(reason: str) -> None:
        fail(native._UniffiRustCallStatus.CALL_ERROR, lower_error(error_type.Unavailable(reason)))

    async def answer() -> None:
        try:
            succeed(await asked.answer())
        except Exception as error:
            if isinstance(error, error_type) and type(error) is not error_type:
                fail(native._UniffiRustCallStatus.CALL_ERROR, lower_error(error))
                return
            # Its text may have a secret, so the library is only told of its type.
            name = native._UniffiFfiConverterString.lower(type(error).__name__)
            fail(native._UniffiRustCallStatus.CALL_UNEXPECTED_ERROR, name)
            asked.loop.call_exception_handler({"message": "fieldpost asked the app, which has failed", "exception": error})
        except BaseException:
            unavailable("the app was cancelled while it was asked")
            raise

    coroutine = answer()
    try:
        future = asyncio.run_coroutine_threadsafe(coroutine, asked.loop)
    except RuntimeError:
        coroutine.close()
        unavailable("the event loop in which the client was opened was closed")
        return
    number = next(_numbers)
    _answers[number] = (asked.loop, future)
    dropped[0] = native._UniffiForeignFutureDroppedCallbackStruct(number, _give_up)


@native._UNIFFI_FOREIGN_FUTURE_DROPPED_CALLBACK
def _give_up(number: int) -> None:
    """The library has its answer, or waits no longer."""
    loop, future = _answers.pop(number)
    if not loop.is_closed():
        future.cancel()


def install() -> None:
    """Puts it in the place of what is generated."""
    native._uniffi_trait_interface_call_async_with_error = ask
