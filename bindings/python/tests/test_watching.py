"""Watches: what waits, how they end, and who may read them."""

import asyncio
import gc
import threading
import unittest.mock
import weakref
from typing import Any, List, Optional

import fieldpost
from fieldpost import ConversationDiff, ErrorKind, Failure, MessageDiff, Older, OutboxEvent, RetryAdvice, ThreadUpdate
from fieldpost._native import fieldpost_ffi as native
from fieldpost._waiting import LEFT, LIMIT, Events, Lists, States

from support import Story, heard, listeners, within

FAILURE = Failure(kind=ErrorKind.DISK_FULL, retry=RetryAdvice.NEVER(), reason="the disk is full")


class Subscription:
    """Stands for the one of the library."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def is_active(self) -> bool:
        return not self.cancelled


def watch(waiting: Any) -> fieldpost.Watch:
    return fieldpost.Watch(waiting)._following(Subscription())


def tell(watched: fieldpost.Watch, *updates: Any) -> None:
    """Tells updates as the library does: on another thread."""

    def telling() -> None:
        for update in updates:
            if isinstance(update, Failure):
                watched._listener.on_error(update)
            else:
                watched._listener.on_update(update)

    thread = threading.Thread(target=telling)
    thread.start()
    thread.join()


async def read(watched: fieldpost.Watch) -> List[Any]:
    """All that waits."""
    found = []
    while watched._waiting:
        found.append(await watched.__anext__())
    return found


def lists() -> Lists:
    return Lists(lambda update: update, lambda items, _: [ConversationDiff.RESET(items)])


def threads() -> Lists:
    return Lists(
        lambda update: update.diffs, lambda items, last: ThreadUpdate(diffs=[MessageDiff.RESET(items)], older=last.older)
    )


def entry(mutation: str, kind: str = "send") -> Any:
    return type("Entry", (), {"mutation_id": mutation, "kind": kind})()


class Waiting(unittest.IsolatedAsyncioTestCase):
    async def test_of_a_number_the_last_one_waits(self) -> None:
        unread = watch(States())
        tell(unread, *range(1_000))
        self.assertEqual(await read(unread), [999])

    async def test_an_error_waits_beside_the_last_number(self) -> None:
        unread = watch(States())
        tell(unread, 1, FAILURE, FAILURE, 2)
        with self.assertRaises(fieldpost.WatchError):
            await unread.__anext__()
        self.assertEqual(await read(unread), [2])

    async def test_of_many_errors_one_waits(self) -> None:
        unread = watch(States())
        tell(unread, 1, *([FAILURE] * 1_000))
        self.assertEqual(len(unread._waiting), 2)

    async def test_of_a_list_all_updates_wait_at_first(self) -> None:
        listed = watch(lists())
        tell(listed, [ConversationDiff.RESET([])], *([ConversationDiff.PUSH_BACK(n)] for n in range(LIMIT - 1)))
        self.assertEqual(len(await read(listed)), LIMIT)

    async def test_of_a_list_too_many_updates_become_one(self) -> None:
        listed = watch(lists())
        tell(listed, [ConversationDiff.RESET(["a"])])
        shown: list = []
        fieldpost.apply(shown, await listed.__anext__())
        tell(listed, *([ConversationDiff.PUSH_BACK(number)] for number in range(10_000)))
        self.assertLessEqual(len(listed._waiting), LIMIT)
        for diffs in await read(listed):
            fieldpost.apply(shown, diffs)
        self.assertEqual(shown, ["a", *range(10_000)])

    async def test_what_was_read_is_not_changed_by_what_comes(self) -> None:
        listed = watch(lists())
        tell(listed, [ConversationDiff.RESET(["a"])], *([ConversationDiff.PUSH_BACK(n)] for n in range(LIMIT)))
        (reset,) = await listed.__anext__()
        before = list(reset.values)
        tell(listed, [ConversationDiff.CLEAR()])
        self.assertEqual(reset.values, before)

    async def test_of_a_list_whose_reset_was_lost_all_updates_wait(self) -> None:
        listed = watch(lists())
        tell(listed, *([ConversationDiff.SET(5, "changed")] for _ in range(2 * LIMIT)))
        self.assertEqual(len(await read(listed)), 2 * LIMIT)

    async def test_of_a_thread_what_is_below_it_stays(self) -> None:
        thread = watch(threads())
        tell(thread, ThreadUpdate(diffs=[MessageDiff.RESET([])], older=Older.NOTHING()))
        older = Older.HERE(before=7)
        tell(thread, *(ThreadUpdate(diffs=[MessageDiff.PUSH_BACK(n)], older=older) for n in range(LIMIT)))
        (update,) = await read(thread)
        self.assertEqual(update.older, older)
        self.assertEqual(update.diffs[0].values, list(range(LIMIT)))

    async def test_the_last_error_of_a_list_waits(self) -> None:
        listed = watch(lists())
        tell(listed, [ConversationDiff.RESET([])], *([FAILURE] * LIMIT))
        with self.assertRaises(fieldpost.WatchError) as caught:
            await listed.__anext__()
        self.assertEqual((caught.exception.kind, str(caught.exception)), (ErrorKind.DISK_FULL, "the disk is full"))
        self.assertEqual([diff.is_reset() for (diff,) in await read(listed)], [True])

    async def test_of_the_outbox_one_event_for_each_entry_waits(self) -> None:
        outbox = watch(Events())
        tell(outbox, OutboxEvent.WAITS(entry("a")), OutboxEvent.WAITS(entry("b")))
        tell(outbox, *(OutboxEvent.CHANGED(entry("a", f"{n}")) for n in range(1_000)), OutboxEvent.LEFT(entry("b")))
        tell(outbox, *(OutboxEvent.CHANGED(entry("a", f"{n}")) for n in range(LIMIT)))
        events = await read(outbox)
        self.assertLessEqual(len(events), LIMIT)
        # An entry that was not heard of waits; it has not changed.
        self.assertEqual([event.entry.mutation_id for event in events if event.is_waits()], ["a"])
        self.assertEqual([event.entry.mutation_id for event in events if event.is_left()], ["b"])
        self.assertEqual([event.entry.kind for event in events if not event.is_left()][-1], f"{LIMIT - 1}")

    async def test_of_the_outbox_the_last_event_waits_last(self) -> None:
        outbox = watch(Events())
        tell(outbox, OutboxEvent.CHANGED(entry("a")), *([OutboxEvent.CHANGED(entry("b"))] * (LIMIT - 1)))
        tell(outbox, OutboxEvent.CHANGED(entry("a")))
        self.assertEqual([event.entry.mutation_id for event in await read(outbox)], ["b", "a"])

    async def test_of_the_outbox_what_has_left_long_ago_goes(self) -> None:
        events = Events()
        outbox = watch(events)
        with unittest.mock.patch.object(events, "_shorten", wraps=events._shorten) as shortened:
            tell(outbox, OutboxEvent.WAITS(entry("waits")))
            tell(outbox, *(OutboxEvent.LEFT(entry(f"{number}")) for number in range(5 * LEFT)))
        waits, *left = await read(outbox)
        self.assertTrue(waits.is_waits())
        self.assertLessEqual(len(left), 2 * LEFT + 1)
        numbers = [int(event.entry.mutation_id) for event in left]
        self.assertEqual(numbers, list(range(5 * LEFT - len(left), 5 * LEFT)))
        # Not with each event: it looks at all of them.
        self.assertLess(shortened.call_count, 20)

    async def test_an_event_loop_that_does_not_run_is_woken_once(self) -> None:
        unread = watch(States())
        with unittest.mock.patch.object(unread._loop, "call_soon_threadsafe") as woken:
            tell(unread, *range(1_000))
        self.assertEqual(woken.call_count, 1)


class Ending(unittest.IsolatedAsyncioTestCase):
    async def test_a_cancel_ends_a_loop_at_once(self) -> None:
        unread = watch(States())
        tell(unread, 1)
        unread.cancel()
        self.assertEqual([number async for number in unread], [])
        self.assertTrue(unread._subscription.cancelled)
        self.assertFalse(unread.is_active())

    async def test_nothing_comes_after_a_cancel(self) -> None:
        unread = watch(States())
        unread.cancel()
        tell(unread, 1)
        self.assertEqual([number async for number in unread], [])

    async def test_a_cancel_on_another_thread_ends_a_loop_that_waits(self) -> None:
        unread = watch(States())
        reading = asyncio.ensure_future(unread.__anext__())
        await asyncio.sleep(0)
        await asyncio.to_thread(unread.cancel)
        with self.assertRaises(StopAsyncIteration):
            await within(reading)

    async def test_two_readers_both_end(self) -> None:
        unread = watch(States())
        readers = [asyncio.ensure_future(unread.__anext__()) for _ in range(2)]
        await asyncio.sleep(0)
        unread.cancel()
        found = await within(asyncio.gather(*readers, return_exceptions=True))
        self.assertEqual([type(one) for one in found], [StopAsyncIteration] * 2)

    async def test_what_came_before_the_end_is_read(self) -> None:
        unread = watch(States())
        tell(unread, 1)
        unread._listener.on_end()
        self.assertEqual([number async for number in unread], [1])

    async def test_it_is_active_until_either_side_has_ended(self) -> None:
        ended, cancelled = watch(States()), watch(States())
        self.assertTrue(ended.is_active() and cancelled.is_active())
        ended._listener.on_end()
        cancelled._subscription.cancel()
        self.assertEqual((ended.is_active(), cancelled.is_active()), (False, False))

    async def test_leaving_it_cancels(self) -> None:
        async with watch(States()) as unread:
            self.assertTrue(unread.is_active())
        self.assertTrue(unread._subscription.cancelled)

    async def test_a_reader_waits_for_what_comes(self) -> None:
        unread = watch(States())
        for number in range(3):
            reading = asyncio.ensure_future(unread.__anext__())
            await asyncio.sleep(0)
            self.assertFalse(reading.done())
            tell(unread, number)
            self.assertEqual(await within(reading), number)

    async def test_a_reader_that_is_cancelled_loses_nothing(self) -> None:
        unread = watch(States())
        reading = asyncio.ensure_future(unread.__anext__())
        await asyncio.sleep(0)
        tell(unread, 1)
        reading.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await reading
        self.assertEqual(await within(unread.__anext__()), 1)

    async def test_a_loop_goes_on_after_an_error(self) -> None:
        unread = watch(States())
        tell(unread, FAILURE)
        # One except is for both kinds of errors.
        with self.assertRaises(fieldpost.FieldpostError):
            async for _ in unread:
                pass
        tell(unread, 2)
        self.assertEqual(await within(unread.__anext__()), 2)

    async def test_it_is_read_where_it_was_opened(self) -> None:
        unread = watch(States())
        tell(unread, 1)
        with self.assertRaisesRegex(RuntimeError, "the event loop in which it was opened"):
            await asyncio.to_thread(asyncio.run, unread.__anext__())
        self.assertEqual(await unread.__anext__(), 1)


class ClosedEventLoop(unittest.TestCase):
    def opened(self, subscription: Optional[Subscription]) -> fieldpost.Watch:
        async def opening() -> fieldpost.Watch:
            unread: fieldpost.Watch = fieldpost.Watch(States())
            return unread._following(subscription) if subscription else unread

        return asyncio.run(opening())

    def test_a_watch_ends_with_its_event_loop(self) -> None:
        unread = self.opened(Subscription())
        tell(unread, 1)
        self.assertTrue(unread._subscription.cancelled)
        self.assertEqual(len(unread._waiting), 0)

    def test_also_if_it_was_closed_before_the_call_returned(self) -> None:
        unread = self.opened(None)
        tell(unread, 1)
        unread._following(Subscription())
        self.assertTrue(unread._subscription.cancelled)

    def test_a_cancel_after_that_is_allowed(self) -> None:
        unread = self.opened(Subscription())
        unread.cancel()
        self.assertTrue(unread._subscription.cancelled)


class Forgotten(Story):
    async def test_a_watch_that_nobody_has_is_given_back(self) -> None:
        client = await self.local()
        await listeners(0)
        watched = client.watch_status()
        await watched.__anext__()
        subscription, forgotten = weakref.ref(watched._subscription), weakref.ref(watched)
        await listeners(1)
        del watched
        gc.collect()
        await listeners(0)
        self.assertIsNone(forgotten())
        self.assertIsNone(subscription())

    async def test_a_watch_that_cannot_begin_is_given_back(self) -> None:
        client = await self.local()
        await client.shutdown()
        with self.assertRaises(fieldpost.FieldpostError):
            client.watch_status()
        with self.assertRaises(fieldpost.FieldpostError):
            await client.watch_conversations()
        await listeners(0)

    async def test_a_loop_that_is_left_gives_its_watch_back(self) -> None:
        client = await self.signed_in()
        direct = await self.direct(client)
        await listeners(0)
        async for _ in await client.watch_thread(direct):
            break
        async for _ in await client.timeline(direct):
            break
        # Not for the garbage collector: nothing of it is in a cycle.
        await listeners(0)

    async def test_a_watch_in_a_cycle_is_given_back_by_the_garbage_collector(self) -> None:
        client = await self.local()
        await listeners(0)
        watched: Any = client.watch_status()
        await watched.__anext__()
        # Until its event loop has heard of the update, that has the watch.
        await asyncio.sleep(0)
        watched.myself = watched
        del watched
        gc.collect()
        await listeners(0)


class Timelines(Story):
    async def test_a_timeline_is_a_watch(self) -> None:
        client = await self.signed_in()
        async with await client.timeline(await self.direct(client)) as timeline:
            self.assertIsInstance(timeline, fieldpost.Timeline)
            update = await within(timeline.__anext__())
            self.assertTrue(update.diffs[0].is_reset())
            self.assertEqual(timeline.ends(), update.ends)
            self.assertTrue(timeline.is_active())
            self.assertFalse(await timeline.paginate_forwards())
            await timeline.go_to(fieldpost.OpenAt.NEWEST())
            with self.assertRaises(fieldpost.FieldpostError):
                await timeline.retry(fieldpost.ItemId.UNREAD())
            with self.assertRaises(fieldpost.FieldpostError):
                await timeline.take_back(fieldpost.ItemId.UNREAD())
        self.assertFalse(timeline.is_active())

    async def test_each_method_is_the_one_of_the_library(self) -> None:
        of_the_library = unittest.mock.Mock(spec=native.Timeline)
        timeline = fieldpost.Timeline(lists())
        timeline._following(of_the_library)
        for name, arguments in {
            "paginate_backwards": (),
            "paginate_forwards": (),
            "go_to": (fieldpost.OpenAt.NEWEST(),),
            "fill_gap": (fieldpost.ItemId.UNREAD(),),
            "retry": (fieldpost.ItemId.UNREAD(),),
            "take_back": (fieldpost.ItemId.UNREAD(),),
        }.items():
            found = await getattr(timeline, name)(*arguments)
            method = getattr(of_the_library, name)
            method.assert_awaited_once_with(*arguments)
            self.assertIs(found, None if name == "go_to" else method.return_value, name)

    def test_it_has_what_the_librarys_has(self) -> None:
        names = [name for name in dir(native.Timeline) if not name.startswith("_")]
        self.assertEqual([name for name in names if not hasattr(fieldpost.Timeline, name)], [])


class Asked(Story):
    """A watch shows what was asked for."""

    async def test_a_thread_as_far_as_its_window(self) -> None:
        client = await self.signed_in()
        async with await client.watch_thread(await self.direct(client), fieldpost.Window(limit=1)) as thread:
            self.assertEqual(len((await thread.__anext__()).diffs[0].values), 1)

    async def test_the_conversations_that_match(self) -> None:
        client = await self.signed_in()
        broadcasts = fieldpost.ConversationQuery(kind=fieldpost.ConversationKind.BROADCAST)
        async with await client.watch_conversations(broadcasts) as listed:
            shown = (await listed.__anext__())[0].values
        self.assertEqual(shown, await client.conversations(broadcasts))
        self.assertEqual([one.kind for one in shown], [fieldpost.ConversationKind.BROADCAST])

    async def test_a_timeline_of_one_page(self) -> None:
        client = await self.signed_in()
        options = fieldpost.TimelineOptions(page=1, open_at=fieldpost.OpenAt.NEWEST())
        async with await client.timeline(await self.direct(client), options) as timeline:
            items = (await timeline.__anext__()).diffs[0].values
        self.assertEqual(len([item for item in items if item.is_message()]), 1)


class SlowReader(Story):
    async def test_a_list_that_nobody_reads_is_right_when_it_is_read(self) -> None:
        client = await self.signed_in()
        direct = await self.direct(client)
        async with await client.watch_conversations() as listed:
            for number in range(3 * LIMIT):
                await client.keep_draft(direct, fieldpost.Draft(text=f"draft {number}"))
            await heard()
            self.assertLessEqual(len(listed._waiting), LIMIT)
            shown: list = []
            for diffs in await read(listed):
                fieldpost.apply(shown, diffs)
        self.assertEqual(shown, await client.conversations())


if __name__ == "__main__":
    unittest.main()
