"""The verbs: calls of the client, with arguments from a file."""

import datetime
from typing import Any, Callable, Dict

import fieldpost
from fieldpost import Client

Arguments = Dict[str, Any]

_WIPE = {"keep": fieldpost.Wipe.KEEP, "everything": fieldpost.Wipe.EVERYTHING}
_FORMATS = {"text": fieldpost.ExportFormat.TEXT, "json_lines": fieldpost.ExportFormat.JSON_LINES}


def window(given: Arguments) -> fieldpost.Window:
    return fieldpost.Window(limit=given.get("limit", 50), before=given.get("before"))


def record_query(given: Arguments) -> fieldpost.RecordQuery:
    filters = []
    if "column" in given:
        comparison = fieldpost.Comparison[given["comparison"].upper()]
        filters = [fieldpost.Filter(column=given["column"], comparison=comparison, value=given["value"])]
    return fieldpost.RecordQuery(table=given["table"], filters=filters)


def draft(given: Arguments) -> fieldpost.Draft:
    return fieldpost.Draft(text=given["text"], reply_to=given.get("reply_to"), metadata=given.get("metadata"))


async def export(client: Client, given: Arguments) -> Any:
    lines, exported = [], await client.export(given["conversation"], _FORMATS[given["format"]])
    while more := await exported.next_lines(500):
        lines.extend(more)
    return lines


def milliseconds(number: int) -> datetime.timedelta:
    return datetime.timedelta(milliseconds=number)


#: Verbs whose arguments are not simply those of the method, in its order.
SPECIAL: Dict[str, Callable[[Client, Arguments], Any]] = {
    "messages": lambda client, given: client.messages(given["conversation"], window(given)),
    "send_draft": lambda client, given: client.send_draft(given["conversation"], draft(given)),
    "keep_draft": lambda client, given: client.keep_draft(given["conversation"], draft(given)),
    "cancel": lambda client, given: client.cancel(fieldpost.EntryRef.MESSAGE(given["message"])),
    "search": lambda client, given: client.search(fieldpost.SearchQuery(**given)),
    "export": export,
    "sign_out": lambda client, given: client.sign_out(_WIPE[given["wipe"]]),
    "records": lambda client, given: client.records(record_query(given)),
    "background": lambda client, given: client.background(milliseconds(given["deadline_ms"])),
}

#: Watches whose arguments are not simply those of the method.
WATCHES: Dict[str, Callable[[Client, Arguments], Any]] = {
    "watch_thread": lambda client, given: client.watch_thread(given["conversation"], window(given)),
    "watch_records": lambda client, given: client.watch_records(record_query(given)),
    "timeline": lambda client, given: client.timeline(
        given["conversation"],
        fieldpost.TimelineOptions(
            page=given["page"], open_at={"newest": fieldpost.OpenAt.NEWEST()}[given["open_at"]]
        ),
    ),
}


def call(client: Client, verb: str, given: Arguments) -> Any:
    """Calls a method by its name."""
    special = SPECIAL.get(verb) or WATCHES.get(verb)
    return special(client, given) if special else getattr(client, verb)(**given)
