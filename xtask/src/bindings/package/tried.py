"""Tries an installed wheel: it loads, keeps a file, and has typed errors. Needs no server."""

import asyncio
import pathlib
import tempfile

import fieldpost


async def main(folder: str) -> None:
    file = pathlib.Path(folder) / "tried.db"
    settings = {"url": "http://127.0.0.1:9", "anon_key": "key", "allow_http": True, "live": False}
    async with await fieldpost.Client.open(file, **settings) as client:
        assert await client.conversations() == []
        async with client.watch_total_unread() as unread:
            async for count in unread:
                assert count == 0
                break
        try:
            await client.send("no id", "hello")
        except fieldpost.FieldpostError as error:
            assert error.kind == fieldpost.ErrorKind.INVALID_ARGUMENT, error.kind
        else:
            raise AssertionError("a bad id was taken")
    assert "site-packages" in fieldpost.__file__, fieldpost.__file__
    print(f"fieldpost {fieldpost.__version__} is installed and works, with the library {fieldpost.library_version()}")


with tempfile.TemporaryDirectory() as folder:
    asyncio.run(main(folder))
