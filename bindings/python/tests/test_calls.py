"""How calls wait: cancelled, on several event loops, and with arguments that are refused."""

import asyncio
import datetime
import gc
import unittest.mock
import warnings
from typing import Any

import fieldpost
from fieldpost import _calls

from scenario.app import Provider, password_session
from support import KEY, URL, Story, cancelled_in_its_last_moment, closed, heard, listeners, open_files, python, within


class Cancelled(Story):
    async def test_a_client_that_was_opened_for_nobody_is_closed(self) -> None:
        for number in range(5):
            await cancelled_in_its_last_moment(fieldpost.Client.open(self.folder / f"{number}.db"))
        gc.collect()
        await closed(self.folder)

    async def test_a_client_whose_opening_is_given_up_early_is_closed(self) -> None:
        for turns in range(6):
            opening = asyncio.ensure_future(fieldpost.Client.open(self.folder / f"{turns}.db"))
            for _ in range(turns):
                await asyncio.sleep(0)
            opening.cancel()
            await asyncio.wait([opening])
        del opening
        await heard()
        gc.collect()
        await closed(self.folder)

    async def test_what_is_watched_for_nobody_is_given_back(self) -> None:
        client = await self.signed_in()
        direct = await self.direct(client)
        await listeners(0)
        for call in (
            lambda: client.watch_conversations(),
            lambda: client.watch_thread(direct),
            lambda: client.timeline(direct),
        ):
            await cancelled_in_its_last_moment(call())
        gc.collect()
        await listeners(0)

    async def test_an_export_for_nobody_is_given_back(self) -> None:
        client = await self.signed_in()
        made = []
        lift = fieldpost._native.fieldpost_ffi._UniffiFfiConverterTypeExport.lift
        with unittest.mock.patch.object(
            fieldpost._native.fieldpost_ffi._UniffiFfiConverterTypeExport, "lift", lambda handle: made.append(lift(handle))
        ):
            await cancelled_in_its_last_moment(client.export(await self.direct(client), fieldpost.ExportFormat.TEXT))
        self.assertEqual(len(made), 1)

    async def test_a_call_that_fails_for_nobody_is_cancelled_all_the_same(self) -> None:
        client = await self.local()
        with self.assertRaises(fieldpost.FieldpostError):
            await client.export("0194d3a0-0000-7000-8000-000000000000", fieldpost.ExportFormat.TEXT)
        await cancelled_in_its_last_moment(
            client.export("0194d3a0-0000-7000-8000-000000000000", fieldpost.ExportFormat.TEXT)
        )

    async def test_a_call_that_is_given_up_early_leaves_nothing_behind(self) -> None:
        client, told = await self.local(), []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        for turns in range(20):
            call = asyncio.ensure_future(client.conversations())
            for _ in range(turns % 4):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.wait([call])
        self.assertEqual((_calls._waiting, _calls._under_way, told), ({}, {}, []))

    async def test_a_write_that_was_begun_is_carried_out(self) -> None:
        client = await self.signed_in()
        direct = await self.direct(client)
        call = asyncio.ensure_future(client.keep_draft(direct, fieldpost.Draft(text="begun")))
        await asyncio.sleep(0)
        call.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await call
        # What is written next comes after it.
        await client.mark_unread(direct)
        self.assertEqual((await client.draft(direct)).text, "begun")


class EventLoops(Story):
    async def in_a_thread_of_its_own(self, call: Any) -> Any:
        return await within(asyncio.to_thread(asyncio.run, call))

    async def test_a_client_that_asks_the_app_works_on_other_event_loops(self) -> None:
        tokens = Provider(password_session(URL, KEY, "ada@fieldpost.test", "fieldpost-demo"), "token")
        async with await fieldpost.Client.open(self.folder / "a.db", url=URL, anon_key=KEY, tokens=tokens) as client:
            report = await self.in_a_thread_of_its_own(client.sync())
            self.assertGreater(report.new_messages, 0)
            self.assertGreater(tokens.asked, 0)

    def test_a_client_outlives_its_first_event_loop(self) -> None:
        client = asyncio.run(fieldpost.Client.open(self.folder / "a.db"))
        self.assertEqual(asyncio.run(client.conversations()), [])
        asyncio.run(client.shutdown())

    def test_an_event_loop_that_is_closed_before_the_call_returns(self) -> None:
        ended = python(f"""
            import asyncio, fieldpost, socket, threading
            from fieldpost import _calls

            server = socket.create_server(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{{server.getsockname()[1]}}"
            loop = asyncio.new_event_loop()

            async def opened():
                return await fieldpost.Client.open({str(self.folder / "a.db")!r}, url=url, anon_key="key")

            client = loop.run_until_complete(opened())
            signing_in = loop.create_task(client.sign_in("ada@fieldpost.test", "a"))
            signing_in._log_destroy_pending = False
            while not _calls._waiting:
                loop.run_until_complete(asyncio.sleep(0))
            loop.close()

            def refuse():
                while True:
                    server.accept()[0].close()

            threading.Thread(target=refuse, daemon=True).start()
            while _calls._waiting:
                asyncio.run(client.conversations())
        """)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))


class Refused(Story):
    async def test_an_argument_that_is_refused_holds_nothing(self) -> None:
        client = await fieldpost.Client.open(self.folder / "a.db")
        unknown = "0194d3a0-0000-7000-8000-000000000000"
        with self.assertRaises(ValueError):
            await client.send(unknown, "half a pair: \ud800")
        with self.assertRaises(TypeError):
            await client.send(unknown, 5)
        with self.assertRaises(TypeError):
            await client.mute(unknown, datetime.datetime(2030, 1, 1))
        with self.assertRaises(TypeError):
            await client.mute(unknown, "tomorrow")
        self.assertGreater(open_files(self.folder), 0)
        with self.assertWarns(ResourceWarning):
            del client
            gc.collect()
        await closed(self.folder)


class Closed(Story):
    async def test_a_file_is_closed_with_its_client(self) -> None:
        for number in range(10):
            async with await fieldpost.Client.open(self.folder / f"{number}.db") as client:
                self.assertGreater(open_files(self.folder), 0)
                self.assertEqual(await client.conversations(), [])
        self.assertEqual(open_files(self.folder), 0)

    async def test_a_client_that_was_shut_down_is_forgotten_without_a_warning(self) -> None:
        async with await fieldpost.Client.open(self.folder / "a.db") as client:
            pass
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with unittest.mock.patch("sys.unraisablehook") as unraisable:
                del client
                gc.collect()
        unraisable.assert_not_called()
