"""The hand-written layer: what has no place in the scenario that all languages share."""

import ast
import asyncio
import importlib.util
import re
import shutil
import tempfile
import tomllib
import unittest
from pathlib import Path
from types import SimpleNamespace

import fieldpost
from fieldpost._native import fieldpost_ffi as generated

from support import KEY, PACKAGE, URL, python


class Documented(unittest.TestCase):
    def test_the_package_has_the_version_of_the_module(self) -> None:
        project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        self.assertEqual(project["version"], fieldpost.__version__)

    def test_the_example_of_the_readme_runs(self) -> None:
        (code,) = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(encoding="utf-8"), re.S)
        example: dict = {}
        exec(compile(code, "README.md", "exec"), example)  # noqa: S102
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(example["main"](URL, KEY, f"{folder}/ada.db"))

    def test_every_name_that_the_readme_uses_exists(self) -> None:
        names = re.findall(r"fieldpost\.(\w+)", (PACKAGE / "README.md").read_text(encoding="utf-8"))
        missing = [name for name in names if not hasattr(fieldpost, name) and name != "test"]
        self.assertEqual(missing, [])

    def test_type_checkers_see_what_python_sees(self) -> None:
        # Of a name that is imported twice mypy takes the first.
        module = ast.parse((PACKAGE / "src/fieldpost/__init__.py").read_text(encoding="utf-8"))
        first = next(node for node in module.body if isinstance(node, ast.If))
        seen = {alias.name for line in first.body for alias in line.names}
        own = {name for name in generated.__all__ if getattr(fieldpost, name).__module__ != generated.__name__}
        self.assertEqual(seen - {"FieldpostError"}, own)

    def test_every_method_of_the_client_has_a_docstring(self) -> None:
        methods = [name for name in dir(fieldpost.Client) if not name.startswith("_")]
        self.assertGreater(len(methods), 60)
        self.assertEqual([name for name in methods if not getattr(fieldpost.Client, name).__doc__], [])


class TheBot(unittest.TestCase):
    def test_it_answers_each_question_once(self) -> None:
        found = importlib.util.spec_from_file_location("bot", PACKAGE / "example/answering_bot.py")
        bot = importlib.util.module_from_spec(found)
        found.loader.exec_module(bot)

        async def story(folder: str) -> None:
            async def opened(name: str, email: str) -> fieldpost.Client:
                client = await fieldpost.Client.open(f"{folder}/{name}", url=URL, anon_key=KEY)
                await client.sign_in(email, "fieldpost-demo")
                await client.sync()
                return client

            async with await opened("ben.db", "ben@fieldpost.test") as ben:
                async with await opened("bot.db", "admin@fieldpost.test") as robin:
                    (direct,) = [one for one in await ben.conversations() if one.kind == fieldpost.ConversationKind.DIRECT]
                    asked = await ben.send(direct.id, "Status?")
                    await ben.sync()
                    # From here on both follow by themselves: the answer comes when it comes.
                    await ben.start()
                    running = asyncio.ensure_future(bot.run(robin))
                    async with await ben.watch_thread(direct.id) as updates:
                        shown: list = []
                        async for update in updates:
                            fieldpost.apply(shown, update.diffs)
                            if shown[-1].text == bot.ANSWER:
                                break
                    self.assertEqual(shown[-1].reply.id, asked.id)
                    self.assertEqual(await bot.answer(robin, await robin.conversation(direct.id)), 0)
                # It ends with its client.
                await asyncio.wait_for(running, 20)

        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(asyncio.wait_for(story(folder), 120))

    def test_it_says_how_it_is_called(self) -> None:
        ended = python("import runpy; runpy.run_path({!r}, run_name='__main__')".format(str(PACKAGE / "example/answering_bot.py")))
        self.assertEqual(ended.returncode, 1)
        self.assertIn("answering_bot.py URL ANON_KEY EMAIL", ended.stderr)


class Loading(unittest.TestCase):
    """What is said if package and library do not fit."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(PACKAGE / "src", self.folder, dirs_exist_ok=True)
        self.package = self.folder / "fieldpost"

    def said(self) -> str:
        ended = python("import fieldpost", path=self.folder)
        self.assertNotEqual(ended.returncode, 0)
        return ended.stderr.strip().splitlines()[-1]

    def test_a_library_of_another_version(self) -> None:
        init = self.package / "__init__.py"
        init.write_text(init.read_text().replace(f'"{fieldpost.__version__}"', '"9.9.9"'))
        self.assertRegex(self.said(), "ImportError: fieldpost is 9.9.9 and its library is .*different versions")

    def test_a_library_that_lacks_a_function(self) -> None:
        generated = self.package / "_native/fieldpost_ffi.py"
        generated.write_text(generated.read_text().replace("fn_func_library_version", "fn_func_another"))
        self.assertRegex(self.said(), "ImportError: .* and its library are of different versions")

    def test_a_library_with_another_contract(self) -> None:
        generated = self.package / "_native/fieldpost_ffi.py"
        generated.write_text(re.sub(r"bindings_contract_version = \d+", "bindings_contract_version = 1", generated.read_text()))
        self.assertRegex(self.said(), "ImportError: .* and its library are of different versions")

    def test_no_library(self) -> None:
        next(self.package.glob("_native/*fieldpost_ffi.[sd]*")).unlink()
        self.assertRegex(self.said(), "ImportError: the library of fieldpost cannot be loaded")

    def test_a_python_that_lacks_something(self) -> None:
        ended = python("import sys; sys.modules['ctypes'] = None; import fieldpost", path=self.folder)
        self.assertRegex(ended.stderr, "ModuleNotFoundError: .*ctypes")
        self.assertNotIn("ImportError", ended.stderr)

    def test_no_generated_code(self) -> None:
        shutil.rmtree(self.package / "_native")
        self.assertRegex(self.said(), "ImportError: fieldpost was installed without its library")


class Diffs(unittest.TestCase):
    def test_they_are_applied_in_their_order(self) -> None:
        def diff(name: str, **fields: object) -> object:
            return type(f"MessageDiff.{name}", (SimpleNamespace,), {})(**fields)

        items = ["old"]
        fieldpost.apply(items, [
            diff("RESET", values=["a", "b"]),
            diff("APPEND", values=["c", "d"]),
            diff("PUSH_FRONT", value="first"),
            diff("PUSH_BACK", value="last"),
            diff("INSERT", index=1, value="second"),
            diff("SET", index=2, value="A"),
            diff("REMOVE", index=3),
        ])
        self.assertEqual(items, ["first", "second", "A", "c", "d", "last"])
        fieldpost.apply(items, [diff("POP_FRONT"), diff("POP_BACK"), diff("TRUNCATE", length=2)])
        self.assertEqual(items, ["second", "A"])
        self.assertEqual(fieldpost.apply(items, [diff("CLEAR")]), [])


if __name__ == "__main__":
    unittest.main()
