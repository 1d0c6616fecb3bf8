"""Records and errors, as Python has them."""

import asyncio
import copy
import datetime
import inspect
import pickle
import unittest
from pathlib import Path
from unittest import mock

import fieldpost
from fieldpost import ErrorKind, Failure, FieldpostError, RetryAdvice, WatchError
from fieldpost._native import fieldpost_ffi as native

from support import Story

HOUR = datetime.timedelta(hours=1)


class Errors(unittest.TestCase):
    def test_they_survive_pickle_and_copy(self) -> None:
        failed = FieldpostError.Failed(ErrorKind.SERVER, RetryAdvice.AFTER(HOUR), "the server is busy")
        watch = WatchError(Failure(kind=ErrorKind.SERVER, retry=RetryAdvice.AFTER(HOUR), reason="the server is busy"))
        for error in (failed, watch):
            for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
                self.assertIs(type(other), type(error))
                self.assertEqual((other.kind, other.retry, other.reason), (error.kind, error.retry, error.reason))
                self.assertEqual(str(other), "the server is busy")


class Records(unittest.TestCase):
    def test_they_may_be_compared_with_anything(self) -> None:
        window = fieldpost.Window(limit=5)
        self.assertEqual(window, fieldpost.Window(limit=5))
        self.assertNotEqual(window, fieldpost.Window(limit=6))
        self.assertNotEqual(window, None)
        self.assertNotIn(window, ["text", 5, fieldpost.Draft(text="x")])

    def test_they_show_what_they_have(self) -> None:
        self.assertEqual(repr(fieldpost.Window(limit=5)), "Window(limit=5, before=None)")
        self.assertIn("1:00:00", repr(RetryAdvice.AFTER(HOUR)))

    def test_secrets_are_not_shown(self) -> None:
        options = fieldpost.ClientOptions(database="a.db", key=b"0123456789abcdef0123456789abcdef")
        token = fieldpost.SessionToken(person_id="ada", access_token="secret")
        for text in (str(options), repr(options), f"{[options]}"):
            self.assertNotIn("0123456789", text)
        for text in (str(token), repr(token)):
            self.assertNotIn("secret", text)


class Options(unittest.TestCase):
    def test_a_client_takes_all_of_them_by_name(self) -> None:
        options = inspect.signature(fieldpost.ClientOptions.__init__).parameters
        taken = inspect.signature(fieldpost.Client.open).parameters
        self.assertEqual(set(options) - {"self"}, set(taken) - {"tokens", "secrets"})
        defaults = fieldpost.ClientOptions(database="a.db")
        for name, parameter in taken.items():
            if name not in ("database", "tokens", "secrets"):
                default = list(parameter.default) if name == "tables" else parameter.default
                self.assertEqual(default, getattr(defaults, name), name)


    def test_a_client_passes_all_of_them_on(self) -> None:
        names = set(inspect.signature(fieldpost.ClientOptions.__init__).parameters) - {"self", "database", "tables"}
        values = {name: object() for name in names - {"callback_limit"}}
        values["callback_limit"] = HOUR
        tables = (object(),)
        with mock.patch.object(native.Client, "open", mock.AsyncMock(side_effect=ZeroDivisionError)) as opening:
            with self.assertRaises(ZeroDivisionError):
                asyncio.run(fieldpost.Client.open(Path("a.db"), tables=tables, **values))
        options, tokens, secrets = opening.call_args.args
        self.assertEqual({name: getattr(options, name) for name in names}, values)
        self.assertEqual((options.database, options.tables, tokens, secrets), ("a.db", list(tables), None, None))


class Times(Story):
    async def test_they_have_a_time_zone(self) -> None:
        client = await self.signed_in()
        direct = await self.direct(client)
        sent = await client.send(direct, "On my way")
        self.assertEqual(sent.created_at.utcoffset(), datetime.timedelta(0))
        # The same moment in another zone, and on the other side of a change to summer time.
        zone = datetime.timezone(datetime.timedelta(hours=-7))
        until = datetime.datetime(2031, 3, 30, 2, 30, tzinfo=zone)
        self.assertEqual((await client.mute(direct, until)).muted_until, until)
