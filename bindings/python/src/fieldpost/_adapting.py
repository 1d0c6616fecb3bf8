"""What is put right in the generated types."""

import dataclasses
import datetime
import functools
from typing import Any, Callable, Iterator

from ._native import fieldpost_ffi as native

#: Records that have a secret. They print nothing, as in Rust.
SECRET = (native.ClientOptions, native.SessionToken)


def install() -> None:
    for record in _records():
        # What is generated looks for the fields of one record in whatever it is compared with.
        record.__eq__ = _of_one_type(record.__eq__)
        # A dataclass whose fields are not declared prints none of them.
        record.__repr__ = record.__str__
    for record in SECRET:
        record.__repr__ = record.__str__ = lambda self: f"{type(self).__name__}(…)"
    # UniFFI prints the fields of an error. A person wants the reason.
    native.FieldpostError.Failed.__str__ = lambda self: self.reason
    # An error that cannot be sent to another process ends the pool of processes there.
    native.FieldpostError.Failed.__reduce__ = lambda self: (type(self), (self.kind, self.retry, self.reason))
    _check_before(native._UniffiFfiConverterString, _check_text)
    _check_before(native._UniffiFfiConverterTimestamp, _check_time)


def _records() -> Iterator[Any]:
    """The records, and the variants of enums that have fields."""
    for found in list(vars(native).values()):
        if isinstance(found, type) and found.__module__ == native.__name__:
            inner = (it for it in vars(found).values() if isinstance(it, type))
            yield from (it for it in (found, *inner) if dataclasses.is_dataclass(it))


def _of_one_type(equal: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    @functools.wraps(equal)
    def __eq__(self: Any, other: Any) -> Any:
        return equal(self, other) if type(other) is type(self) else NotImplemented

    return __eq__


def _check_before(converter: Any, check: Callable[[Any], None]) -> None:
    """Checks an argument before the call holds anything: what is refused later leaves that behind."""
    generated = converter.check_lower

    def check_lower(value: Any) -> None:
        generated(value)
        check(value)

    converter.check_lower = staticmethod(check_lower)


def _check_text(value: str) -> None:
    # Half a surrogate pair has no form in UTF-8.
    value.isascii() or value.encode()


def _check_time(value: Any) -> None:
    if not isinstance(value, datetime.datetime):
        raise TypeError(f"a time is a datetime, not a {type(value).__name__}")
    if value.utcoffset() is None:
        raise TypeError("a time needs a time zone: datetime.now(timezone.utc)")
