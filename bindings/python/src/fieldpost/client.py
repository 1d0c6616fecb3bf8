"""The client, as asyncio has it: a context manager with async iterators."""

import datetime
import os
import warnings
from typing import Any, List, Optional, Sequence, Union

from . import _calls
from ._asking import OnItsLoop
from ._native import fieldpost_ffi as native
from ._native.fieldpost_ffi import (
    ClientOptions,
    ContextState,
    ConversationDiff,
    ConversationQuery,
    MessageDiff,
    OutboxEvent,
    Person,
    RecordCounts,
    RecordDiff,
    RecordQuery,
    RecordTable,
    SecretStore,
    Status,
    ThreadUpdate,
    TimelineDiff,
    TimelineOptions,
    TimelineUpdate,
    TokenProvider,
    Window,
)
from ._waiting import Events, Lists, States
from .watching import Timeline, Watch


class Client(native.Client):
    """One account on one device.

    All methods of the library's client are here; its watches are async iterators. Use it as ``async with await
    Client.open(…) as client``: leaving it stops syncing and closes the file.
    """

    _app: List[OnItsLoop]

    @classmethod
    async def open(  # type: ignore[override]
        cls,
        database: Union[str, "os.PathLike[str]"],
        *,
        url: Optional[str] = None,
        anon_key: Optional[str] = None,
        app: Optional[str] = None,
        proxy: Optional[str] = None,
        allow_http: bool = False,
        key: Optional[bytes] = None,
        shared_container_salt: Optional[bytes] = None,
        live: bool = True,
        typing: bool = False,
        send_ttl: Optional[datetime.timedelta] = None,
        keep_last: Optional[int] = None,
        keep_days: Optional[int] = None,
        sync_every: Optional[datetime.timedelta] = None,
        tables: Sequence[RecordTable] = (),
        clinical: bool = False,
        callback_limit: Optional[datetime.timedelta] = None,
        tokens: Optional[TokenProvider] = None,
        secrets: Optional[SecretStore] = None,
    ) -> "Client":
        """Opens the file and builds the client. Needs no network.

        The options are those of :class:`ClientOptions`. With ``tokens`` the app owns the session. With ``secrets`` the tokens of the
        session lie in a keychain. Both are asked on the event loop that runs now; once it is closed, they count as out of reach.
        """
        settings = ClientOptions(
            database=os.fspath(database),
            url=url,
            anon_key=anon_key,
            app=app,
            proxy=proxy,
            allow_http=allow_http,
            key=key,
            shared_container_salt=shared_container_salt,
            live=live,
            typing=typing,
            send_ttl=send_ttl,
            keep_last=keep_last,
            keep_days=keep_days,
            sync_every=sync_every,
            tables=list(tables),
            clinical=clinical,
            callback_limit=callback_limit,
        )
        asked = None if tokens is None else OnItsLoop(tokens, callback_limit, "token")
        keychain = None if secrets is None else OnItsLoop(secrets, callback_limit, "get", "put", "remove")
        client: Any = await native.Client.open(settings, asked, keychain)
        client.__class__ = cls
        client._app = [app for app in (asked, keychain) if app is not None]
        return client  # type: ignore[no-any-return]

    async def shutdown(self) -> None:
        """Stops syncing and closes the file; watches end. Later calls fail with ``ErrorKind.CLOSED``.

        Shutting down twice is allowed. An app that is being asked for a token or a secret is cancelled.
        """
        try:
            await super().shutdown()
        finally:
            for app in self._app:
                app.give_up()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: Optional[object]) -> None:
        await self.shutdown()

    def __del__(self) -> None:
        if not _calls.was_forked() and not self.is_shut_down():
            warnings.warn(f"{self!r} was not shut down", ResourceWarning, source=self)
        super().__del__()

    async def watch_conversations(  # type: ignore[override]
        self, query: Optional[ConversationQuery] = None
    ) -> Watch[List[ConversationDiff]]:
        """Watches the conversations that match; :func:`fieldpost.apply` applies the updates to a list."""
        watch = Watch(_lists(ConversationDiff))
        return watch._following(await super().watch_conversations(query or ConversationQuery(), watch._listener))

    async def watch_thread(  # type: ignore[override]
        self, conversation: str, window: Optional[Window] = None
    ) -> Watch[ThreadUpdate]:
        """Watches part of a thread."""
        watch: Watch[ThreadUpdate] = Watch(
            Lists(
                lambda update: update.diffs,
                lambda items, last: ThreadUpdate(diffs=[MessageDiff.RESET(items)], older=last.older),
            )
        )
        return watch._following(await super().watch_thread(conversation, window or Window(), watch._listener))

    async def timeline(  # type: ignore[override]
        self, conversation: str, options: Optional[TimelineOptions] = None
    ) -> Timeline:
        """Opens a timeline."""
        timeline = Timeline(
            Lists(
                lambda update: update.diffs,
                lambda items, last: TimelineUpdate(diffs=[TimelineDiff.RESET(items)], ends=last.ends),
            )
        )
        timeline._following(await super().timeline(conversation, options or TimelineOptions(), timeline._listener))
        return timeline

    def watch_outbox(self) -> Watch[OutboxEvent]:  # type: ignore[override]
        """Watches the outbox. The first events are what is in it already."""
        watch: Watch[OutboxEvent] = Watch(Events())
        return watch._following(super().watch_outbox(watch._listener))

    def watch_unread_for_badge(self) -> Watch[int]:  # type: ignore[override]
        """Watches the number for a badge."""
        watch: Watch[int] = Watch(States())
        return watch._following(super().watch_unread_for_badge(watch._listener))

    def watch_total_unread(self) -> Watch[int]:  # type: ignore[override]
        """Watches the number of all unread messages."""
        watch: Watch[int] = Watch(States())
        return watch._following(super().watch_total_unread(watch._listener))

    def watch_status(self) -> Watch[Status]:  # type: ignore[override]
        """Watches the status."""
        watch: Watch[Status] = Watch(States())
        return watch._following(super().watch_status(watch._listener))

    def watch_typing(self, conversation: str) -> Watch[List[Person]]:  # type: ignore[override]
        """Watches who is writing in a conversation."""
        watch: Watch[List[Person]] = Watch(States())
        return watch._following(super().watch_typing(conversation, watch._listener))

    async def watch_records(self, query: RecordQuery) -> Watch[List[RecordDiff]]:  # type: ignore[override]
        """Watches the records that a query asks for; :func:`fieldpost.apply` applies the updates to a list."""
        watch = Watch(_lists(RecordDiff))
        return watch._following(await super().watch_records(query, watch._listener))

    def watch_context(self) -> Watch[ContextState]:  # type: ignore[override]
        """Watches the state of records and messages together."""
        watch: Watch[ContextState] = Watch(States())
        return watch._following(super().watch_context(watch._listener))

    def watch_record_counts(self) -> Watch[RecordCounts]:  # type: ignore[override]
        """Watches the sizes of the queue of records."""
        watch: Watch[RecordCounts] = Watch(States())
        return watch._following(super().watch_record_counts(watch._listener))


def _lists(diff: Any) -> Lists[List[Any]]:
    """For updates that are diffs and nothing else."""
    return Lists(lambda update: update, lambda items, _: [diff.RESET(items)])
