"""What the app brings: it is asked on its own event loop, and whatever happens there the library hears of it."""

import asyncio
import datetime
import gc
import threading
import warnings
from typing import Any, List, Optional
from unittest import mock

import fieldpost
from fieldpost import ErrorKind, SessionToken
from fieldpost._asking import OnItsLoop, Question, ask
from fieldpost._native import fieldpost_ffi as native

from scenario.app import Keychain, Provider, password_session
from support import KEY, URL, Story, heard, python, within


def session() -> dict:
    return password_session(URL, KEY, "ada@fieldpost.test", "fieldpost-demo")


class Tokens(Provider):
    """Notes where it was asked."""

    def __init__(self) -> None:
        super().__init__(session(), "token")
        self.loops: List[asyncio.AbstractEventLoop] = []

    async def token(self, refused: Optional[str]) -> SessionToken:
        self.loops.append(asyncio.get_running_loop())
        return await super().token(refused)


class Silent(Tokens):
    """Tells that it was asked, and that it was cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.was_asked = threading.Event()
        self.was_cancelled = asyncio.Event()

    async def token(self, refused: Optional[str]) -> SessionToken:
        if self.then == "never":
            self.was_asked.set()
        try:
            return await super().token(refused)
        except asyncio.CancelledError:
            self.was_cancelled.set()
            raise


class AnotherEventLoop:
    """One that runs on a thread of its own."""

    def __enter__(self) -> "AnotherEventLoop":
        self.loop = asyncio.new_event_loop()
        # It is closed with whatever is under way there.
        self.loop.set_exception_handler(lambda *_: None)
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def run(self, call: Any) -> Any:
        return await within(asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, self.loop)))


class Asking(Story):
    async def opened(self, file: str = "a.db", **options: Any) -> fieldpost.Client:
        client = await fieldpost.Client.open(self.folder / file, url=URL, anon_key=KEY, live=False, **options)
        self.addAsyncCleanup(client.shutdown)
        return client

    async def failure(self, call: Any) -> fieldpost.FieldpostError:
        with self.assertRaises(fieldpost.FieldpostError) as caught:
            await within(call)
        return caught.exception

    def told(self) -> List[dict]:
        """What the exception handler of this event loop is told."""
        told: List[dict] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        return told

    async def test_each_app_is_asked_on_its_own_event_loop(self) -> None:
        here, there = Tokens(), Tokens()
        first = await self.opened("first.db", tokens=here)
        with AnotherEventLoop() as other:
            second = await other.run(self.opened("second.db", tokens=there))
            await first.sync()
            await other.run(second.sync())
            self.assertEqual(set(here.loops), {asyncio.get_running_loop()})
            self.assertEqual(set(there.loops), {other.loop})

    async def test_an_answer_leaves_nothing_behind(self) -> None:
        client = await self.opened(tokens=Tokens())
        await client.sync()
        (app,) = client._app
        self.assertEqual(app._asked, set())
        self.assertEqual([timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()], [])

    async def test_an_event_loop_that_was_closed_is_no_answer_to_wait_for(self) -> None:
        with AnotherEventLoop() as other:
            client = await other.run(self.opened(tokens=Tokens()))
        with warnings.catch_warnings(), mock.patch("sys.unraisablehook") as unraisable:
            warnings.simplefilter("error")
            self.assertEqual((await self.failure(client.sync())).kind, ErrorKind.OFFLINE)
            await heard()
            gc.collect()
        unraisable.assert_not_called()

    async def test_an_event_loop_may_be_closed_while_the_app_is_asked(self) -> None:
        tokens = Silent()
        with AnotherEventLoop() as other:
            client = await other.run(self.opened(tokens=tokens, callback_limit=datetime.timedelta(seconds=3)))
            tokens.then = "never"
            syncing = asyncio.ensure_future(client.sync())
            await asyncio.to_thread(tokens.was_asked.wait)
        with self.assertNoLogs("concurrent.futures"):
            self.assertEqual((await self.failure(syncing)).kind, ErrorKind.OFFLINE)
            await client.shutdown()

    async def test_a_keychain_that_is_cancelled_signs_nobody_out(self) -> None:
        class Cancelled(Keychain):
            async def get(self, name: str) -> Optional[str]:
                asyncio.current_task().cancel()
                await asyncio.Event().wait()
                raise AssertionError

        keychain = Keychain()
        client = await self.opened(secrets=keychain)
        await client.sign_in("ada@fieldpost.test", "fieldpost-demo")
        await client.shutdown()
        client = await self.opened(secrets=Cancelled())
        self.assertEqual((await self.failure(client.sync())).kind, ErrorKind.SECRETS_OUT_OF_REACH)

    async def test_what_the_app_throws_is_told_to_its_event_loop(self) -> None:
        told = self.told()
        tokens = Tokens()
        tokens.then = "throws"
        client = await self.opened(tokens=tokens)
        error = await self.failure(client.sync())
        self.assertEqual(str(told[0]["exception"]), "the app has a fault")
        # What was thrown may have a token in it.
        self.assertNotIn("the app has a fault", str(error))

    async def test_the_library_hears_of_what_was_thrown_only_its_type(self) -> None:
        self.told()
        heard_of: "asyncio.Queue[str]" = asyncio.Queue()

        async def throwing() -> None:
            raise RuntimeError("with a token in it")

        app = OnItsLoop(Tokens(), None, "token")
        failing = lambda _, text: heard_of.put_nowait(native._UniffiFfiConverterString.lift(text))  # noqa: E731
        ask(lambda: Question(app, throwing, ()), None, self.fail, failing, fieldpost.TokenError, self.fail)
        self.assertEqual(await within(heard_of.get()), "RuntimeError")

    async def test_an_error_of_its_own_is_not_told(self) -> None:
        told = self.told()
        tokens = Tokens()
        tokens.then = "signed_out"
        client = await self.opened(tokens=tokens)
        self.assertEqual((await self.failure(client.sync())).kind, ErrorKind.SIGNED_OUT)
        self.assertEqual(told, [])

    async def test_an_error_without_a_case_is_a_failure(self) -> None:
        told = self.told()

        class Unnamed(Tokens):
            async def token(self, refused: Optional[str]) -> SessionToken:
                raise fieldpost.TokenError("which one?")

        client = await self.opened(tokens=Unnamed())
        await self.failure(client.sync())
        self.assertIsInstance(told[0]["exception"], fieldpost.TokenError)

    async def test_an_app_that_is_cancelled_has_answered(self) -> None:
        class Cancelled(Tokens):
            async def token(self, refused: Optional[str]) -> SessionToken:
                asyncio.current_task().cancel()
                await asyncio.Event().wait()
                raise AssertionError

        client = await self.opened(tokens=Cancelled())
        self.assertEqual((await self.failure(client.sync())).kind, ErrorKind.OFFLINE)

    async def test_an_answer_that_is_none_is_a_failure(self) -> None:
        told = self.told()

        class Wrong:
            async def token(self, refused: Optional[str]) -> Any:
                return "a token"

        client = await self.opened(tokens=Wrong())
        await self.failure(client.sync())
        self.assertIsInstance(told[0]["exception"], AttributeError)

    async def test_an_app_is_cancelled_when_nobody_waits_for_it(self) -> None:
        tokens = Silent()
        client = await self.opened(tokens=tokens, callback_limit=datetime.timedelta(seconds=1))
        tokens.then = "never"
        self.assertEqual((await self.failure(client.sync())).kind, ErrorKind.OFFLINE)
        await within(tokens.was_cancelled.wait())

    async def test_an_app_is_cancelled_when_its_client_is_shut_down(self) -> None:
        tokens = Silent()
        client = await self.opened(tokens=tokens)
        tokens.then = "never"
        syncing = asyncio.ensure_future(client.sync())
        await asyncio.to_thread(tokens.was_asked.wait)
        await client.shutdown()
        await within(tokens.was_cancelled.wait())
        await self.failure(syncing)

    async def test_something_else_is_refused_at_once(self) -> None:
        with self.assertRaisesRegex(TypeError, r"dict has no method token\(\)"):
            await self.opened(tokens={"token": "a"})
        with self.assertRaisesRegex(TypeError, r"Tokens has no method get\(\)"):
            await self.opened(secrets=Tokens())

    def test_nothing_is_printed_in_the_debug_mode_of_asyncio(self) -> None:
        ended = python(
            f"""
            import asyncio, fieldpost, warnings

            SESSION = {session()!r}

            class Tokens:
                async def token(self, refused):
                    return fieldpost.SessionToken(person_id=SESSION["user"]["id"], access_token=SESSION["access_token"])

            async def main():
                # This machine may be busy.
                asyncio.get_running_loop().slow_callback_duration = 60
                file = {str(self.folder / "a.db")!r}
                async with await fieldpost.Client.open(file, url={URL!r}, anon_key={KEY!r}, tokens=Tokens()) as client:
                    await client.sync()
                    async with client.watch_status() as status:
                        await status.__anext__()

            asyncio.run(main())
            """,
            PYTHONASYNCIODEBUG="1",
            PYTHONWARNINGS="error",
        )
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
