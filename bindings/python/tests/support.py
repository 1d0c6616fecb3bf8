"""What the tests share."""

import asyncio
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path
from typing import Any, Awaitable, List, Optional, TypeVar
from unittest import mock

import fieldpost
from fieldpost import _calls
from fieldpost._native import fieldpost_ffi as native

T = TypeVar("T")

PACKAGE = Path(__file__).parents[1]
URL, KEY = os.environ["FIELDPOST_URL"], os.environ["FIELDPOST_ANON_KEY"]

#: How long anything may take that has to end. The library waits longer for an answer of the app.
LIMIT = 20.0


def python(*code: str, path: Path = PACKAGE / "src", **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs pieces of code in a process of their own."""
    command = [sys.executable, "-c", "\n".join(map(textwrap.dedent, code))]
    variables = {**os.environ, "PYTHONPATH": str(path), **environment}
    return subprocess.run(command, capture_output=True, text=True, env=variables, timeout=120)


async def listeners(count: int) -> None:
    """Waits until the library has so many listeners and providers."""

    async def settled() -> None:
        while len(native._UniffiCallbackInterfaceFfiConverter._handle_map) != count:
            await heard()

    await within(settled())


def open_files(folder: Path) -> int:
    """How many files of a folder this process has open."""
    found = 0
    for number in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{number}").startswith(str(folder))
        except OSError:
            pass  # It was the one of the folder of numbers itself.
    return found


async def within(call: Awaitable[T]) -> T:
    return await asyncio.wait_for(call, LIMIT)


async def heard() -> None:
    """Waits until the thread of the listeners has done what it had to do: it calls them in their order."""
    with tempfile.TemporaryDirectory() as folder:
        async with await fieldpost.Client.open(f"{folder}/heard.db") as client:
            await within(client.watch_total_unread().__anext__())


async def closed(folder: Path) -> None:
    """Waits until no file of a folder is open: the library closes what nobody has on a thread of its own."""

    async def closing() -> None:
        while open_files(folder):
            await heard()

    await within(closing())


async def cancelled_in_its_last_moment(call: Awaitable[Any]) -> None:
    """Cancels a call when the library has its result, and it has not taken that yet."""
    task = asyncio.ensure_future(call)
    wake = _calls._wake

    def cancelling(future: "asyncio.Future[int]", code: int) -> None:
        if code == native._UNIFFI_RUST_FUTURE_POLL_READY:
            task.cancel()
        wake(future, code)

    with mock.patch.object(_calls, "_wake", cancelling):
        try:
            await within(task)
        except asyncio.CancelledError:
            return
    raise AssertionError("it was not cancelled")


class Story(unittest.IsolatedAsyncioTestCase):
    """A test with a folder, and clients in it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    async def local(self, file: str = "local.db") -> fieldpost.Client:
        """A client without a server."""
        client = await fieldpost.Client.open(self.folder / file)
        self.addAsyncCleanup(client.shutdown)
        return client

    async def signed_in(self, email: str = "ada@fieldpost.test", **options: Any) -> fieldpost.Client:
        """A client that has loaded what the server has."""
        client = await fieldpost.Client.open(self.folder / f"{email}.db", url=URL, anon_key=KEY, live=False, **options)
        self.addAsyncCleanup(client.shutdown)
        await client.sign_in(email, "fieldpost-demo")
        await client.sync()
        return client

    async def direct(self, client: fieldpost.Client) -> str:
        """The conversation between a medic and the office."""
        return next(one.id for one in await client.conversations() if one.kind == fieldpost.ConversationKind.DIRECT)
