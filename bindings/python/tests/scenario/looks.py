"""Results as JSON, and what they must look like."""

import datetime
import enum
from typing import Any, Optional


def plain(value: Any) -> Any:
    """A result as JSON: see bindings/scenario/README.md."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, enum.Enum):
        return value.name.lower()
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    fields = {name: plain(item) for name, item in vars(value).items() if not name.startswith("_")}
    # The classes of variants lie in the class of their enum.
    if "." in type(value).__name__ or "." in type(value).__qualname__:
        fields["is"] = type(value).__name__.rsplit(".", 1)[-1].lower()
    return fields


def difference(expected: Any, found: Any, kept: dict, at: str = "") -> Optional[str]:
    """None if the result looks as expected; otherwise what does not."""
    here = at or "the result"
    if isinstance(expected, str) and expected.startswith("$"):
        expected = kept[expected[1:]]
    if isinstance(expected, dict) and any(key.startswith("$") for key in expected):
        return _test(expected, found, kept, here)
    if isinstance(expected, dict):
        # A variant without data is written as its name alone in some languages.
        if isinstance(found, str) and set(expected) == {"is"}:
            found = {"is": found}
        if not isinstance(found, dict):
            return f"{here} is {found!r}, not an object"
        for key, wanted in expected.items():
            if key not in found:
                return f"{here} has no {key}"
            wrong = difference(wanted, found[key], kept, f"{at}.{key}" if at else key)
            if wrong:
                return wrong
        return None
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return f"{here} has {len(found) if isinstance(found, list) else 'no'} items, not {len(expected)}: {found!r}"
        for index, wanted in enumerate(expected):
            wrong = difference(wanted, found[index], kept, f"{at}.{index}" if at else str(index))
            if wrong:
                return wrong
        return None
    if isinstance(expected, str) and isinstance(found, dict) and set(found) == {"is"}:
        found = found["is"]
    same = expected == found and isinstance(expected, bool) == isinstance(found, bool)
    return None if same else f"{here} is {found!r}, not {expected!r}"


def _test(expected: dict, found: Any, kept: dict, here: str) -> Optional[str]:
    ((name, wanted),) = expected.items()
    if name == "$any":
        return None if found is not None else f"{here} is nothing"
    if name == "$at_least":
        return None if found >= wanted else f"{here} is {found}, less than {wanted}"
    if name == "$at_most":
        return None if found <= wanted else f"{here} is {found}, more than {wanted}"
    if name == "$at_least_items":
        return None if len(found) >= wanted else f"{here} has {len(found)} items"
    if name == "$contains":
        return None if wanted in found else f"{here} is {found!r}, without {wanted!r}"
    if name == "$length":
        return None if len(found) == wanted else f"{here} has {len(found)} items, not {wanted}"
    if name == "$first":
        return difference(wanted, found[0], kept, f"{here}.0") if found else f"{here} is empty"
    if name == "$last":
        return difference(wanted, found[-1], kept, f"{here}.-1") if found else f"{here} is empty"
    if name == "$has":
        wrong = [difference(wanted, item, kept, f"{here}.{index}") for index, item in enumerate(found)]
        return None if None in wrong else f"nothing in {here} is right: {wrong or 'it is empty'}"
    if name == "$not":
        return f"{here} is {found!r}" if difference(wanted, found, kept) is None else None
    raise ValueError(f"there is no test {name}")


def take(path: str, value: Any) -> Any:
    """A part of a result: `messages.-1.id`, `[kind=direct].id`, `.` for all of it."""
    for part in filter(None, path.split(".")):
        if part.startswith("["):
            key, wanted = part.strip("[]").split("=")
            value = next(item for item in value if item[key] == wanted)
        elif isinstance(value, list):
            value = value[int(part)]
        else:
            value = value[part]
    return value
