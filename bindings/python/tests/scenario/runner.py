"""Carries out steps, and tells of each."""

import asyncio
import gc
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Dict, List, Optional

import fieldpost
from fieldpost import Client, Timeline, Watch

from .app import Keychain, Provider, password_session
from .looks import difference, plain, take
from .verbs import call, milliseconds

#: How long anything may take.
LIMIT = 20.0


class Failed(Exception):
    """A step does not show what it should."""


def error_of(error: BaseException) -> Dict[str, Any]:
    """An error as JSON. What Python itself refuses is an argument that is none."""
    if isinstance(error, fieldpost.FieldpostError):
        return {"kind": plain(error.kind), "retry": plain(error.retry), "reason": error.reason}
    if isinstance(error, (TypeError, ValueError, AttributeError)):
        return {"kind": "invalid_argument", "retry": "never", "reason": str(error)}
    raise error


class Throwing:
    """Makes a listener throw at its first calls."""

    def __init__(self, watch: Watch, times: int) -> None:
        self.times = times
        self.heard = watch._listener.on_update
        watch._listener.on_update = self.on_update  # type: ignore[method-assign]

    def on_update(self, update: Any) -> None:
        if self.times > 0:
            self.times -= 1
            raise RuntimeError("the listener has a fault")
        self.heard(update)


class Counting:
    """Counts what the library tells a watch, whether the watch takes it or not."""

    def __init__(self, watch: Watch) -> None:
        self.count = self.seen = 0
        self.heard = watch._listener.on_update
        watch._listener.on_update = self.on_update  # type: ignore[method-assign]

    def on_update(self, update: Any) -> None:
        self.count += 1
        self.heard(update)

    def look(self) -> None:
        self.seen = self.count

    def since(self) -> int:
        return self.count - self.seen


class Usage:
    """Threads and memory of this process."""

    def __init__(self) -> None:
        gc.collect()
        status = Path("/proc/self/status")
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines()) if status.exists() else {}
        self.threads = int(lines.get("Threads", "0"))
        self.kib = int(lines.get("VmRSS", "0").split()[0])

    def grown(self, before: "Usage") -> Dict[str, int]:
        return {"threads_grown": self.threads - before.threads, "memory_grown_kib": self.kib - before.kib}


class Runner:
    def __init__(self, url: str, key: str, folder: Path, kept: Dict[str, Any]) -> None:
        self.url, self.key, self.folder, self.kept = url, key, folder, kept
        self.clients: Dict[str, Client] = {}
        self.watches: Dict[str, Any] = {}
        self.told: Dict[str, Counting] = {}
        self.providers: Dict[str, Provider] = {}
        self.keychains: Dict[str, Keychain] = {}

    async def run(self, steps: List[dict], crash: bool) -> int:
        failures = 0
        for step in steps:
            told = await self.tell(step)
            failures += not told["ok"]
            print(json.dumps(told, ensure_ascii=False), flush=True)
        if crash:
            os.kill(os.getpid(), signal.SIGKILL)
        for client in self.clients.values():
            await client.shutdown()
        return 1 if failures else 0

    async def tell(self, step: dict) -> dict:
        told: Dict[str, Any] = {"step": step["step"], "ok": True}
        try:
            result = await asyncio.wait_for(self.carry_out(step), LIMIT * 9)
            if "measure" in step:
                told["measure"], told["micros"] = step["measure"], result
            if step["do"] in ("changes", "subscriptions"):
                told["note"] = json.dumps(result)
        except Exception as error:  # noqa: BLE001
            told["ok"], told["note"] = False, f"{type(error).__name__}: {error}"
            if not isinstance(error, Failed):
                told["note"] += "\n" + traceback.format_exc(limit=-2)
        return told

    async def carry_out(self, step: dict) -> Any:
        if "times" in step and "measure" in step:
            return await self.measure(step)
        try:
            result = plain(await self.do(step))
            repeated = time.monotonic()
            while step.get("until") and difference(step["expect"], result, self.kept) and time.monotonic() - repeated < LIMIT:
                result = plain(await self.do(step))
        except (Failed, asyncio.TimeoutError):
            raise
        except Exception as error:
            found = error_of(error) if "fails" in step else self.unexpected(error)
            self.check(step["fails"], found)
            return None
        if "fails" in step:
            raise Failed(f"it did not fail; the result is {result!r}")
        if "expect" in step:
            self.check(step["expect"], result)
        for name, path in step.get("keep", {}).items():
            self.kept[name] = take(path, result)
        return result

    @staticmethod
    def unexpected(error: Exception) -> Any:
        raise error

    def check(self, expected: Any, found: Any) -> None:
        wrong = difference(expected, found, self.kept)
        if wrong:
            raise Failed(wrong)

    def argument(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("$"):
            return self.kept[value[1:]]
        if isinstance(value, dict) and "$surrogate" in value:
            return "a\ud800b"
        if isinstance(value, dict) and "$repeat" in value:
            text, times = value["$repeat"]
            return text * times
        return value

    async def do(self, step: dict) -> Any:
        verb, on = step["do"], step.get("on", "ada")
        given = {name: self.argument(value) for name, value in step.get("with", {}).items()}
        own = getattr(self, f"do_{verb}", None)
        if own is not None:
            result = own(step, given)
        elif verb == "timeline" or verb.startswith("watch_"):
            return await self.watch(verb, self.clients[on], given, step["as"])
        elif verb.startswith("timeline_"):
            return await self.of_timeline(verb, self.watches[step["watch"]], given)
        else:
            result = call(self.clients[on], verb, given)
        return await result if inspect.isawaitable(result) else result

    async def measure(self, step: dict) -> float:
        started = time.perf_counter()
        for _ in range(step["times"]):
            await self.do(step)
        return (time.perf_counter() - started) / step["times"] * 1e6

    # Verbs that are no calls of the client.

    async def do_open(self, step: dict, given: dict) -> None:
        server = given.pop("server")
        settings: Dict[str, Any] = {"live": given.pop("live", False)}
        if server != "none":
            settings["url"] = "http://127.0.0.1:9" if server == "nowhere" else self.url
            settings["anon_key"] = None if server == "without_key" else self.key
        if "tokens" in given:
            settings["tokens"] = self.providers[given.pop("tokens")]
        if "secrets" in given:
            settings["secrets"] = self.keychains[given.pop("secrets")]
        if "key" in given:
            settings["key"] = bytes.fromhex(given.pop("key"))
        if "callback_limit_ms" in given:
            settings["callback_limit"] = milliseconds(given.pop("callback_limit_ms"))
        file = self.folder / given.pop("file")
        self.clients[step.get("on", "ada")] = await Client.open(file, **settings, **given)

    async def watch(self, verb: str, client: Client, given: dict, name: str) -> None:
        throws = given.pop("throws", 0)
        watching = Watch.__init__
        if throws:
            # Before the library has it, so that the first call throws already.
            def throwing(watch: Watch, waiting: Any) -> None:
                watching(watch, waiting)
                Throwing(watch, throws)

            Watch.__init__ = throwing  # type: ignore[method-assign]
        try:
            started = call(client, verb, given)
            self.watches[name] = await started if inspect.isawaitable(started) else started
            self.told[name] = Counting(self.watches[name])
        finally:
            Watch.__init__ = watching  # type: ignore[method-assign]

    async def of_timeline(self, verb: str, timeline: Timeline, given: dict) -> Any:
        if "item" in given:
            given["item"] = {"unread": fieldpost.ItemId.UNREAD()}[given["item"]]
        return await getattr(timeline, verb.removeprefix("timeline_"))(**given)

    def iterator(self, step: dict) -> Watch:
        return self.watches[step["watch"]]

    async def do_next(self, step: dict, given: dict) -> Any:
        update = await asyncio.wait_for(self.iterator(step).__anext__(), LIMIT)
        self.told[step["watch"]].look()
        return update

    async def do_await(self, step: dict, given: dict) -> Any:
        seen: Optional[str] = "no update came"
        try:
            async with asyncio.timeout(LIMIT):
                while seen:
                    update = plain(await self.iterator(step).__anext__())
                    seen = difference(step["expect"], update, self.kept)
        except (asyncio.TimeoutError, StopAsyncIteration):
            raise Failed(f"no update looks like that; of the last one, {seen}") from None
        self.told[step["watch"]].look()
        return update

    def do_cancel_watch(self, step: dict, given: dict) -> None:
        self.watches[step["watch"]].cancel()
        self.told[step["watch"]].look()

    async def do_ended(self, step: dict, given: dict) -> None:
        async def read() -> None:
            async for _ in self.iterator(step):
                pass

        await asyncio.wait_for(read(), LIMIT)

    async def do_quiet(self, step: dict, given: dict) -> None:
        # One listener thread calls all: what was on its way has arrived when a later call has.
        await self.listened()
        if self.told[step["watch"]].since():
            raise Failed(f"{self.told[step['watch']].since()} updates came")

    async def listened(self) -> None:
        file = Path(tempfile.mkdtemp(dir=self.folder)) / "quiet.db"
        async with await Client.open(file) as client:
            await asyncio.wait_for(client.watch_total_unread().__anext__(), LIMIT)

    def do_crash(self, step: dict, given: dict) -> Any:
        steps = self.folder / "crash.json"
        steps.write_text(json.dumps(step["steps"]), encoding="utf-8")
        command = [sys.executable, "-m", "scenario", str(steps), "--crash", "--url", self.url, "--key", self.key]
        command += ["--folder", str(self.folder), "--kept", json.dumps(self.kept)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
        told = [json.loads(line) for line in ended.stdout.splitlines()]
        wrong = [line for line in told if not line["ok"]]
        if wrong or len(told) != len(step["steps"]) or ended.returncode != -signal.SIGKILL:
            raise Failed(f"the process ended with {ended.returncode}: {wrong} {ended.stderr}")

    def do_provider(self, step: dict, given: dict) -> None:
        if "then" in given:
            self.providers[step["as"]].then = given["then"]
            return
        session = password_session(self.url, self.key, given["email"], given["password"])
        self.providers[step["as"]] = Provider(session, given["first"])

    def do_asked(self, step: dict, given: dict) -> dict:
        provider = self.providers[given["provider"]]
        return {"asked": provider.asked, "refused": provider.refused}

    def do_secret_store(self, step: dict, given: dict) -> None:
        keychain = self.keychains.setdefault(step["as"], Keychain())
        keychain.then = given.get("then", keychain.then)

    def do_secrets_in(self, step: dict, given: dict) -> int:
        return len(self.keychains[given["store"]].secrets)

    async def do_change_key(self, step: dict, given: dict) -> dict:
        told: List[fieldpost.KeyProgress] = []

        class Listener:
            def on_progress(self, progress: fieldpost.KeyProgress) -> None:
                told.append(progress)

        old, new = (bytes.fromhex(given[name]) if name in given else None for name in ("old_key", "new_key"))
        await fieldpost.change_key(str(self.folder / given["file"]), old, new, Listener())
        return {"told": len(told), "last": told[-1] if told else None}

    def do_files_with(self, step: dict, given: dict) -> List[str]:
        text = given["text"].encode()
        files = (file for file in self.folder.rglob("*") if file.is_file() and text in file.read_bytes())
        return sorted(str(file.relative_to(self.folder)) for file in files)

    async def do_cancel_call(self, step: dict, given: dict) -> None:
        begun = asyncio.ensure_future(call(self.clients[step.get("on", "ada")], step["call"], given))
        # It is cancelled after it was handed over, and before it can have returned.
        await asyncio.sleep(0)
        begun.cancel()
        try:
            await begun
            raise Failed("it was not given up")
        except asyncio.CancelledError:
            pass
        # The write goes on; what is written next comes after it.
        await self.clients[step.get("on", "ada")].pending()

    async def do_threads_of_the_app(self, step: dict, given: dict) -> dict:
        client, count = self.clients[step.get("on", "ada")], {"ok": 0, "failed": 0}
        lock = threading.Lock()

        def one() -> None:
            try:
                asyncio.run(call(client, step["call"], dict(given)))
                name = "ok"
            except fieldpost.FieldpostError:
                name = "failed"
            with lock:
                count[name] += 1

        threads = [threading.Thread(target=one) for _ in range(step["times"])]
        for thread in threads:
            thread.start()
        await asyncio.gather(*(asyncio.to_thread(thread.join, 60) for thread in threads))
        return count

    async def do_log_lines(self, step: dict, given: dict) -> dict:
        lines: List[fieldpost.LogLine] = []

        class Sink:
            def log(self, line: fieldpost.LogLine) -> None:
                lines.append(line)

        fieldpost.log_to(fieldpost.LogLevel[given["level"].upper()], Sink())
        client = self.clients[step.get("on", "ada")]
        await client.sync()
        conversation = (await client.conversations())[0]
        window = await client.messages(conversation.id, fieldpost.Window())
        await client.search(fieldpost.SearchQuery(text=given["forbidden"]))
        await self.listened()
        fieldpost.stop_logging()
        texts = [message.text for message in window.messages if message.text] + [given["forbidden"], conversation.name]
        content = [line for line in lines if any(text in line.text for text in texts)]
        return {"lines": len(lines), "content": len(content)}

    async def do_changes(self, step: dict, given: dict) -> dict:
        client, watch, updates = self.clients[step.get("on", "ada")], self.iterator(step), given["updates"]
        before, came = Usage(), 0
        for number in range(updates):
            if number == updates // 10:
                before = Usage()
            await client.keep_draft(given["conversation"], fieldpost.Draft(text=f"draft {number}"))
            await asyncio.wait_for(watch.__anext__(), LIMIT)
            came += 1
        return {"updates": came, **Usage().grown(before)}

    async def do_subscriptions(self, step: dict, given: dict) -> dict:
        client, count = self.clients[step.get("on", "ada")], given["count"]
        before = Usage()
        for number in range(count):
            if number == count // 10:
                before = Usage()
            async with await client.watch_thread(given["conversation"]) as watch:
                await asyncio.wait_for(watch.__anext__(), LIMIT)
        return Usage().grown(before)
