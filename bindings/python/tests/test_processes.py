"""Processes: how they end, and what is left in one that was forked."""

import multiprocessing
import os
import unittest
from typing import Any

import fieldpost

from support import KEY, URL, Story, python

OPENED = f"""
    import asyncio, fieldpost, os, tempfile, threading

    URL, KEY = {URL!r}, {KEY!r}

    async def opened():
        client = await fieldpost.Client.open(tempfile.mkdtemp() + "/a.db", url=URL, anon_key=KEY)
        await client.sign_in("ada@fieldpost.test", "fieldpost-demo")
        return client
"""

#: Threads have some time after the package has done what it does at exit.
LASTS = """
    import atexit, time
    atexit.register(time.sleep, 0.3)
"""

#: What the modules have is dropped when Python cannot be called any more: there is time to try.
ENDS_SLOWLY = """
    class Slow:
        def __del__(self, sleep=time.sleep):
            sleep(0.3)

    asyncio.slow = Slow()
"""


class Ending(unittest.TestCase):
    def ends_well(self, *code: str) -> None:
        ended = python(LASTS, OPENED, *code)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))

    def test_a_process_ends_well_with_everything_open(self) -> None:
        self.ends_well("""
            async def main():
                client = await opened()
                await client.start()
                return client, client.watch_status(), await client.watch_conversations()

            kept = asyncio.run(main())
        """)

    def test_a_process_ends_well_while_another_thread_calls(self) -> None:
        self.ends_well(ENDS_SLOWLY, """
            calling, kept = threading.Event(), []

            async def calls():
                client = await opened()
                calling.set()
                while True:
                    # It never waits for them, so it goes on calling when those before are given up.
                    kept.append(asyncio.ensure_future(client.conversations()))
                    await asyncio.sleep(0)

            threading.Thread(target=lambda: asyncio.run(calls()), daemon=True).start()
            calling.wait()
        """)

    def test_a_call_after_the_end_is_refused(self) -> None:
        ended = python("""
            import atexit, asyncio, tempfile

            def late():
                try:
                    asyncio.run(fieldpost.Client.open(tempfile.mkdtemp() + "/a.db"))
                except RuntimeError as error:
                    print(error)

            # What is registered first is called last.
            atexit.register(late)
            import fieldpost
        """)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertIn("the process ends", ended.stdout)

    def test_a_process_ends_well_while_a_call_waits_for_a_server(self) -> None:
        self.ends_well("""
            import socket

            server = socket.create_server(("127.0.0.1", 0))

            async def calls():
                url = f"http://127.0.0.1:{server.getsockname()[1]}"
                client = await fieldpost.Client.open(tempfile.mkdtemp() + "/a.db", url=url, anon_key="key")
                await client.sign_in("ada@fieldpost.test", "a")

            threading.Thread(target=lambda: asyncio.run(calls()), daemon=True).start()
            silent, _ = server.accept()
        """)

    def test_a_process_ends_well_while_the_library_wakes_a_call(self) -> None:
        self.ends_well(ENDS_SLOWLY, """
            from fieldpost import _calls

            waking = threading.Event()

            class Slow(dict):
                def pop(self, *arguments):
                    if threading.current_thread().name != "calls":
                        waking.set()
                        # Python ends while this sleeps.
                        time.sleep(0.45)
                    return super().pop(*arguments)

            async def calls():
                client = await opened()
                _calls._waiting = Slow(_calls._waiting)
                while True:
                    await client.conversations()

            threading.Thread(target=lambda: asyncio.run(calls()), daemon=True, name="calls").start()
            waking.wait()
        """)

    def test_a_process_ends_well_while_the_app_is_asked(self) -> None:
        self.ends_well(ENDS_SLOWLY, """
            from datetime import timedelta

            asked = threading.Event()

            class Tokens:
                async def token(self, refused):
                    asked.set()
                    raise fieldpost.TokenError.Unavailable("there is none")

            async def main():
                file = tempfile.mkdtemp() + "/a.db"
                client = await fieldpost.Client.open(
                    file, url=URL, anon_key=KEY, tokens=Tokens(), sync_every=timedelta(seconds=1)
                )
                return client

            async def calls(client):
                while True:
                    try:
                        await asyncio.gather(*(client.sync() for _ in range(20)))
                    except fieldpost.FieldpostError:
                        pass

            def in_background():
                async def both():
                    client = await main()
                    await calls(client)

                asyncio.run(both())

            threading.Thread(target=in_background, daemon=True).start()
            asked.wait()
        """)

    def test_a_process_ends_well_while_the_app_does_not_answer(self) -> None:
        self.ends_well(ENDS_SLOWLY, """
            from datetime import timedelta

            asked = threading.Event()

            class Tokens:
                async def token(self, refused):
                    asked.set()
                    await asyncio.Event().wait()

            async def calls():
                file, limit = tempfile.mkdtemp() + "/a.db", timedelta(milliseconds=400)
                client = await fieldpost.Client.open(
                    file, url=URL, anon_key=KEY, tokens=Tokens(), callback_limit=limit
                )

            threading.Thread(target=lambda: asyncio.run(calls()), daemon=True).start()
            asked.wait()
        """)


class Forked(Story):
    def test_a_process_that_was_forked_fails_at_once(self) -> None:
        ended = python(OPENED, """
            client = asyncio.run(opened())
            child = os.fork()
            if not child:
                for call in (client.conversations, client.status, lambda: fieldpost.Client.open("b.db")):
                    try:
                        result = call()
                        asyncio.run(result)
                        print("no error", flush=True)
                    except RuntimeError as error:
                        print(error, flush=True)
                raise SystemExit(7)
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), len(asyncio.run(client.conversations())))
        """, PYTHONWARNINGS="ignore::DeprecationWarning")
        self.assertEqual(ended.stderr, "")
        *errors, last = ended.stdout.splitlines()
        self.assertEqual(len(errors), 3)
        for error in errors:
            self.assertIn("fork", error)
        self.assertEqual(last, "7 0")

    def test_a_process_that_was_forked_before_the_first_call_works(self) -> None:
        ended = python(OPENED, """
            child = os.fork()
            if not child:
                async def main():
                    async with await opened() as client:
                        await client.sync()
                        return len(await client.conversations())
                raise SystemExit(asyncio.run(main()))
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status))
        """)
        self.assertEqual((ended.stdout, ended.stderr), ("2\n", ""))

    def test_an_error_comes_back_from_a_pool_of_processes(self) -> None:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            with self.assertRaises(fieldpost.FieldpostError) as caught:
                pool.apply_async(failing, (str(self.folder / "missing" / "a.db"),)).get(60)
        self.assertEqual(caught.exception.kind, fieldpost.ErrorKind.FILE_NOT_ACCESSIBLE)


def failing(file: str) -> Any:
    import asyncio

    return asyncio.run(fieldpost.Client.open(file))
