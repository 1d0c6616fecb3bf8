"""A bot that answers: whoever writes "status?" gets the status of the site.

    python answering_bot.py URL ANON_KEY EMAIL < password

It keeps its own file, so it answers each message once, also over restarts.
"""

import asyncio
import sys
from typing import List

import fieldpost

QUESTION = "status?"
ANSWER = "All gates are open. Crane 3 is out of service."


async def answer(client: fieldpost.Client, conversation: str) -> int:
    """Answers the questions of a conversation that are not answered yet. Returns how many there were."""
    window = await client.messages(conversation, fieldpost.Window(limit=100))
    answered = {message.reply.id for message in window.messages if message.mine and message.reply}
    asked: List[fieldpost.ThreadMessage] = [
        message
        for message in window.messages
        if not message.mine and (message.text or "").strip().lower() == QUESTION and message.id not in answered
    ]
    for message in asked:
        await client.send_draft(conversation, fieldpost.Draft(text=ANSWER, reply_to=message.id))
    if window.last_seq is not None:
        await client.mark_read(conversation, window.last_seq)
    return len(asked)


async def run(client: fieldpost.Client) -> None:
    """Answers until the client is shut down."""
    await client.start()
    async with client.watch_total_unread() as unread:
        async for _ in unread:
            for conversation in await client.conversations(fieldpost.ConversationQuery(unread=True)):
                if conversation.kind == fieldpost.ConversationKind.DIRECT:
                    await answer(client, conversation.id)


async def main(url: str, anon_key: str, email: str, password: str) -> None:
    async with await fieldpost.Client.open("bot.db", url=url, anon_key=anon_key) as client:
        if not await client.is_signed_in():
            await client.sign_in(email, password)
        await run(client)


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:4], sys.stdin.readline().rstrip("\n")))
    except KeyboardInterrupt:
        pass
