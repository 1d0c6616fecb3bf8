"""Every method of the client is called at least once: here, or by the scenario that all languages share."""

import asyncio
import json
import os
import tempfile
import unittest
from pathlib import Path
from typing import Any, Iterator, List, Set

import fieldpost
from fieldpost import EntryRef, ErrorKind, FieldpostError, Window

SCENARIO = Path(__file__).parents[2] / "scenario"
URL, KEY = os.environ["FIELDPOST_URL"], os.environ["FIELDPOST_ANON_KEY"]

#: The fields of a worker that are required.
WORKER = '{"first_name":"Sam","last_name":"Reed","company":"North","role":"rigger"}'


def verbs(steps: List[dict]) -> Iterator[str]:
    for step in steps:
        yield step["do"]
        yield step.get("call", "")
        yield from verbs(step.get("steps", []))


class Called:
    """A client that notes which of its methods are called."""

    def __init__(self, client: fieldpost.Client) -> None:
        self._client = client
        self.names: Set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.names.add(name)
        return getattr(self._client, name)


async def first(watch: fieldpost.Watch) -> Any:
    async with watch:
        return await asyncio.wait_for(watch.__anext__(), 20)


class Methods(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    async def opened(self, email: str, **options: Any) -> Called:
        file = self.folder / f"{email}.db"
        client = await fieldpost.Client.open(file, url=URL, anon_key=KEY, live=False, **options)
        self.addAsyncCleanup(client.shutdown)
        await client.sign_in(email, "fieldpost-demo")
        await client.sync()
        return Called(client)

    async def failing(self, call: Any) -> ErrorKind:
        with self.assertRaises(FieldpostError) as caught:
            await call
        return caught.exception.kind

    async def test_every_method_is_called(self) -> None:
        ada = await self.opened("ada@fieldpost.test", clinical=True)
        robin = await self.opened("admin@fieldpost.test")
        direct = next(one for one in await ada.conversations() if one.kind == fieldpost.ConversationKind.DIRECT)
        await self.conversations_and_settings(ada, robin, direct.id)
        await self.drafts_and_reactions(ada, direct.id)
        await self.outbox(ada, direct.id)
        await self.searches(ada, direct.id)
        await self.records(ada)
        await self.lifecycle(ada)
        shared = {name for file in SCENARIO.glob("*.json") for name in verbs(json.loads(file.read_text("utf-8"))["steps"])}
        methods = {name for name in dir(fieldpost.Client) if not name.startswith("_")}
        self.assertEqual(methods - shared - ada.names - robin.names - {"is_shut_down"}, set())

    async def conversations_and_settings(self, ada: Called, robin: Called, direct: str) -> None:
        self.assertEqual([one.id for one in await ada.find_conversations("admi")], [direct])
        self.assertEqual([one.display_name for one in await ada.find_people("mos")], ["Ada Moss"])
        self.assertTrue((await ada.archive(direct)).archived_at)
        self.assertIsNone((await ada.unarchive(direct)).archived_at)
        await ada.pin(direct)
        self.assertIsNone((await ada.unpin(direct)).pinned_at)
        await ada.mute(direct)
        self.assertIsNone((await ada.unmute(direct)).muted_until)
        self.assertTrue((await ada.mark_unread(direct)).marked_unread)
        self.assertGreater(await first(ada.watch_total_unread()), 0)
        self.assertEqual(await ada.total_unread_mentions(), 0)
        self.assertEqual(await self.failing(ada.open_broadcast("Notices")), ErrorKind.NOT_POSSIBLE)
        notices = await robin.open_broadcast("Notices")
        self.assertEqual((await robin.conversation(notices)).subject, "Site notices")
        window = await ada.load_older(direct, Window(limit=2))
        self.assertEqual(len(window.messages), 2)

    async def drafts_and_reactions(self, ada: Called, direct: str) -> None:
        await ada.keep_draft(direct, fieldpost.Draft(text="begun", metadata='{"a":1}'))
        self.assertEqual((await ada.draft(direct)).metadata, '{"a":1}')
        self.assertEqual([draft.text for draft in await ada.drafts()], ["begun"])
        await ada.clear_draft(direct)
        self.assertIsNone(await ada.draft(direct))
        message = (await ada.messages(direct, Window())).messages[0].id
        self.assertTrue((await ada.toggle_reaction(direct, message, "🎉")).reactions[0].mine)
        self.assertEqual([one.kind for one in await ada.changes_of(message)], ["react"])
        self.assertEqual((await ada.unreact(direct, message, "🎉")).reactions, [])

    async def outbox(self, ada: Called, direct: str) -> None:
        sent = await ada.send(direct, "Gate 8")
        by_message = EntryRef.MESSAGE(sent.id)
        entry = await ada.edit_entry(by_message, "Gate 9")
        self.assertEqual(entry.text, "Gate 9")
        self.assertTrue((await ada.retry(EntryRef.MUTATION(entry.mutation_id))).state.is_QUEUED())
        self.assertEqual((await ada.retry_all(), await ada.cancel_failed()), (0, []))
        await ada.sync()
        self.assertEqual(await self.failing(ada.retry(by_message)), ErrorKind.NOT_WAITING)

    async def searches(self, ada: Called, direct: str) -> None:
        await ada.build_search_index()
        search = ada.search_with_server(fieldpost.SearchQuery(text="gate 9", conversation=direct))
        page = await search.next_page()
        self.assertIn("Gate 9", [found.hit.message.text for found in page.hits])
        # What is here costs nothing, and no server.
        await search.load_hit(page.hits[0].hit.message.id)

    async def records(self, ada: Called) -> None:
        self.assertTrue((await first(ada.watch_context())).messages.signed_in)
        worker = await ada.create_record("workers", WORKER)
        self.assertGreater((await first(ada.watch_record_counts())).pending, 0)
        (entry,) = await ada.record_queue(10)
        self.assertEqual((entry.operation, entry.record_id), ("create", worker.id))
        await ada.audit_reads("workers", [worker.id], "list")
        self.assertEqual((await ada.audit_counts()).pending, 1)
        self.assertEqual(await self.failing(ada.retry_record(worker.id)), ErrorKind.NOT_WAITING)
        self.assertEqual(await ada.retry_all_records(), 0)
        self.assertEqual(await self.failing(ada.reapply_record_conflict(entry.mutation_id)), ErrorKind.NOT_WAITING)
        self.assertFalse(await ada.dismiss_record_conflict(entry.mutation_id))
        await ada.cancel_record(entry.mutation_id)
        self.assertEqual((await ada.record_conflicts(), await ada.carried_items()), ([], []))
        self.assertFalse(await ada.remove_carried_item("none"))

    async def lifecycle(self, ada: Called) -> None:
        ada.set_connection(fieldpost.ConnectionKind.WIFI)
        ada.hint()
        self.assertEqual(await ada.apply_retention(), 0)
        self.assertIsNone(await ada.imported())

    async def test_a_file_that_is_no_file_of_the_older_app_is_refused(self) -> None:
        source = self.folder / "source.db"
        source.write_bytes(b"no database")
        call = fieldpost.import_watermelon(str(source), str(self.folder / "target.db"))
        self.assertEqual(await self.failing(call), ErrorKind.NOT_A_DATABASE)

    async def test_a_key_is_changed_with_one(self) -> None:
        self.assertEqual(await self.failing(fieldpost.change_key("x.db")), ErrorKind.INVALID_ARGUMENT)
        missing = str(self.folder / "missing.db")
        self.assertIn(
            await self.failing(fieldpost.change_key(missing, new_key=bytes(range(32)))),
            (ErrorKind.NO_ENCRYPTION, ErrorKind.FILE_NOT_ACCESSIBLE),
        )


if __name__ == "__main__":
    unittest.main()
