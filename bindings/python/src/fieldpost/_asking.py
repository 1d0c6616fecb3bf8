"""How the library asks the app for a token or a secret, in place of what UniFFI generates for it.

What it generates knows one event loop for the whole process, says nothing to the library when that was closed or the question was
cancelled, prints what an app throws on the standard error output, and is called once more when the library has its answer, which may
be while Python ends.
"""

import asyncio
import datetime
from concurrent import futures
from typing import Any, Awaitable, Callable, NamedTuple, Optional, Set, Tuple

from ._native import fieldpost_ffi as native

#: How long the library waits for an answer, unless the options of the client say otherwise.
LIMIT = datetime.timedelta(seconds=30)


class OnItsLoop:
    """Something of the app. It is asked on the event loop in which it was given to the library."""

    def __init__(self, app: Any, limit: Optional[datetime.timedelta], *methods: str) -> None:
        missing = [name for name in methods if not callable(getattr(app, name, None))]
        if missing:
            raise TypeError(f"{type(app).__name__} has no method {missing[0]}()")
        self.loop = asyncio.get_running_loop()
        self.limit = (limit or LIMIT).total_seconds()
        self._app = app
        self._asked: Set["futures.Future[None]"] = set()

    def __getattr__(self, name: str) -> Callable[..., "Question"]:
        method = getattr(self._app, name)
        return lambda *arguments: Question(self, method, arguments)

    def run(self, answer: Any) -> None:
        """Runs the coroutine that answers. Raises RuntimeError if the event loop was closed."""
        future = asyncio.run_coroutine_threadsafe(answer, self.loop)
        self._asked.add(future)
        future.add_done_callback(self._asked.discard)

    def give_up(self) -> None:
        """Nobody waits for an answer any more."""
        for future in list(self._asked):
            if not self.loop.is_closed():
                future.cancel()


class Question(NamedTuple):
    """A method of the app."""

    of: OnItsLoop
    method: Callable[..., Awaitable[Any]]
    arguments: Tuple[Any, ...]

    async def answer(self) -> Any:
        this = asyncio.current_task()
        assert this is not None
        # The library waits no longer than that.
        limit = self.of.loop.call_later(self.of.limit, this.cancel)
        try:
            return await self.method(*self.arguments)
        finally:
            limit.cancel()


def ask(
    question: Callable[[], Question],
    _dropped: Any,
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
            told = {"message": "fieldpost asked the app, which has failed", "exception": error}
            asked.of.loop.call_exception_handler(told)
        except BaseException:
            unavailable("the app was cancelled while it was asked")
            raise

    coroutine = answer()
    try:
        asked.of.run(coroutine)
    except RuntimeError:
        coroutine.close()
        unavailable("the event loop in which the client was opened was closed")


def install() -> None:
    """Puts it in the place of what is generated."""
    native._uniffi_trait_interface_call_async_with_error = ask
