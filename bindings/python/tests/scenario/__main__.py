"""``python -m scenario FILE --url URL --key KEY --folder FOLDER``: one JSON line per step on standard output."""

import argparse
import asyncio
import json
import sys
from pathlib import Path

from .runner import Runner


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("file", type=Path)
    arguments.add_argument("--url", required=True)
    arguments.add_argument("--key", required=True)
    arguments.add_argument("--folder", required=True, type=Path)
    arguments.add_argument("--kept", default="{}", help="what another process has kept, as JSON")
    arguments.add_argument("--crash", action="store_true", help="end like a process that is killed")
    given = arguments.parse_args()
    steps = json.loads(given.file.read_text(encoding="utf-8"))
    steps = steps["steps"] if isinstance(steps, dict) else steps
    runner = Runner(given.url, given.key, given.folder, json.loads(given.kept))
    return asyncio.run(runner.run(steps, crash=given.crash))


if __name__ == "__main__":
    sys.exit(main())
