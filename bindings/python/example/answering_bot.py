"""A bot that answers: whoever writes "status?" gets the status of the site.

    python answering_bot.py URL ANON_KEY EMAIL < password

It looks at what it has answered before, so it answers each message once, also over restarts.
"""

import asyncio
import logging
import sys
from typing import List

import fieldpost

QUESTION = "status?"
ANSWER = "All gates are open. Crane 3 is out of service."


async def unread_messages(
    client: fieldpost.Client, conversation: fieldpost.ConversationSummary
) -> List[fieldpost.ThreadMessage]:
    """The newest messages of a conversation, as far back as the first one that is unread."""
    window = await client.messages(conversation.id, fieldpost.Window(limit=100))
    messages = window.messages
    while isinstance(window.older, fieldpost.Older.HERE) and sum(not message.mine for message in messages) < conversation.unread:
        window = await client.messages(conversation.id, fieldpost.Window(limit=100, before=window.older.before))
        messages = window.messages + messages
    return messages


async def answer(client: fieldpost.Client, conversation: fieldpost.ConversationSummary) -> int:
    """Answers the questions of a conversation that are not answered yet. Returns how many there were."""
    messages = await unread_messages(client, conversation)
    answered = {message.reply.id for message in messages if message.mine and message.reply}
    asked = [
        message
        for message in messages
        if not message.mine and (message.text or "").strip().lower() == QUESTION and message.id not in answered
    ]
    for message in asked:
        await client.send_draft(conversation.id, fieldpost.Draft(text=ANSWER, reply_to=message.id))
    seen = max((message.seq for message in messages if message.seq is not None), default=None)
    if seen is not None:
        await client.mark_read(conversation.id, seen)
    return len(asked)


async def run(client: fieldpost.Client) -> None:
    """Answers until the client is shut down."""
    await client.start()
    async with client.watch_total_unread() as unread:
        while unread.is_active():
            try:
                async for _ in unread:
                    for conversation in await client.conversations(fieldpost.ConversationQuery(unread=True)):
                        if conversation.kind == fieldpost.ConversationKind.DIRECT:
                            await answer(client, conversation)
            except fieldpost.FieldpostError as error:
                # What was not answered is still unread, and is answered with the next message.
                logging.warning("%s", error)


async def main(url: str, anon_key: str, email: str, password: str) -> None:
    async with await fieldpost.Client.open("bot.db", url=url, anon_key=anon_key) as client:
        if not await client.is_signed_in():
            await client.sign_in(email, password)
        await run(client)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    url, anon_key, email = sys.argv[1:]
    try:
        asyncio.run(main(url, anon_key, email, password=sys.stdin.readline().rstrip("\n")))
    except KeyboardInterrupt:
        pass
