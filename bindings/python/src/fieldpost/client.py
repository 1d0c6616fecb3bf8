"""The client, as asyncio has it: a context manager with async iterators."""

import asyncio
import os
from typing import Any, List, Optional, Union

from ._native import fieldpost_ffi as native
from ._native.fieldpost_ffi import (
    ClientOptions,
    ContextState,
    ConversationDiff,
    ConversationQuery,
    OutboxEvent,
    Person,
    RecordCounts,
    RecordDiff,
    RecordQuery,
    SecretStore,
    Status,
    ThreadUpdate,
    TimelineOptions,
    TimelineUpdate,
    TokenProvider,
    Window,
)
from .watching import Watch


class Timeline:
    """A timeline: iterate it for its updates, the first of which is a reset, and move it with its methods."""

    def __init__(self, timeline: native.Timeline, watch: "Watch[TimelineUpdate]") -> None:
        self._timeline = timeline
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._timeline, name)

    def cancel(self) -> None:
        """Ends it; a loop over it ends too."""
        self._watch.cancel()

    def __aiter__(self) -> "Watch[TimelineUpdate]":
        return self._watch


class Client(native.Client):
    """One account on one device.

    All methods of the library's client are here; its watches are async iterators. Use it as ``async with await
    Client.open(…) as client``: leaving it stops syncing and closes the file.
    """

    @classmethod
    async def open(  # type: ignore[override]
        cls,
        database: Union[str, "os.PathLike[str]"],
        *,
        tokens: Optional[TokenProvider] = None,
        secrets: Optional[SecretStore] = None,
        **options: Any,
    ) -> "Client":
        """Opens the file and builds the client. Needs no network.

        The options are those of :class:`ClientOptions`: ``url``, ``anon_key``, ``key`` … With ``tokens`` the app owns the
        session. With ``secrets`` the tokens of the session lie in a keychain.
        """
        if tokens is not None or secrets is not None:
            # The library asks on a thread of its own, and the answer comes on this loop.
            native.uniffi_set_event_loop(asyncio.get_running_loop())
        settings = ClientOptions(database=os.fspath(database), **options)
        client = await native.Client.open(settings, tokens, secrets)
        client.__class__ = cls
        return client  # type: ignore[return-value]

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: Optional[object]) -> None:
        await self.shutdown()

    async def watch_conversations(  # type: ignore[override]
        self, query: Optional[ConversationQuery] = None
    ) -> "Watch[List[ConversationDiff]]":
        """Watches the conversations that match; :func:`fieldpost.apply` applies the updates to a list."""
        watch: Watch[List[ConversationDiff]] = Watch()
        return watch._following(await super().watch_conversations(query or ConversationQuery(), watch.listener))

    async def watch_thread(  # type: ignore[override]
        self, conversation: str, window: Optional[Window] = None
    ) -> "Watch[ThreadUpdate]":
        """Watches part of a thread."""
        watch: Watch[ThreadUpdate] = Watch()
        return watch._following(await super().watch_thread(conversation, window or Window(), watch.listener))

    async def timeline(  # type: ignore[override]
        self, conversation: str, options: Optional[TimelineOptions] = None
    ) -> Timeline:
        """Opens a timeline."""
        watch: Watch[TimelineUpdate] = Watch()
        timeline = await super().timeline(conversation, options or TimelineOptions(), watch.listener)
        watch._following(timeline)
        return Timeline(timeline, watch)

    def watch_outbox(self) -> "Watch[OutboxEvent]":  # type: ignore[override]
        """Watches the outbox. The first events are what is in it already."""
        watch: Watch[OutboxEvent] = Watch()
        return watch._following(super().watch_outbox(watch.listener))

    def watch_unread_for_badge(self) -> "Watch[int]":  # type: ignore[override]
        """Watches the number for a badge."""
        watch: Watch[int] = Watch()
        return watch._following(super().watch_unread_for_badge(watch.listener))

    def watch_total_unread(self) -> "Watch[int]":  # type: ignore[override]
        """Watches the number of all unread messages."""
        watch: Watch[int] = Watch()
        return watch._following(super().watch_total_unread(watch.listener))

    def watch_status(self) -> "Watch[Status]":  # type: ignore[override]
        """Watches the status."""
        watch: Watch[Status] = Watch()
        return watch._following(super().watch_status(watch.listener))

    def watch_typing(self, conversation: str) -> "Watch[List[Person]]":  # type: ignore[override]
        """Watches who is writing in a conversation."""
        watch: Watch[List[Person]] = Watch()
        return watch._following(super().watch_typing(conversation, watch.listener))

    async def watch_records(self, query: RecordQuery) -> "Watch[List[RecordDiff]]":  # type: ignore[override]
        """Watches the records that a query asks for."""
        watch: Watch[List[RecordDiff]] = Watch()
        return watch._following(await super().watch_records(query, watch.listener))

    def watch_context(self) -> "Watch[ContextState]":  # type: ignore[override]
        """Watches the state of records and messages together."""
        watch: Watch[ContextState] = Watch()
        return watch._following(super().watch_context(watch.listener))

    def watch_record_counts(self) -> "Watch[RecordCounts]":  # type: ignore[override]
        """Watches the sizes of the queue of records."""
        watch: Watch[RecordCounts] = Watch()
        return watch._following(super().watch_record_counts(watch.listener))
