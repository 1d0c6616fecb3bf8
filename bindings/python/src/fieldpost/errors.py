"""Errors."""

from typing import TYPE_CHECKING, Any

from ._native.fieldpost_ffi import Failure

if TYPE_CHECKING:
    from ._native.fieldpost_ffi import ErrorKind, RetryAdvice

    class FieldpostError(Exception):
        """What went wrong, as type checkers see it: the generated class does not declare what its instances have."""

        kind: ErrorKind
        retry: RetryAdvice
        reason: str

        class Failed(Exception):
            def __init__(self, kind: ErrorKind, retry: RetryAdvice, reason: str) -> None: ...

else:
    from ._native.fieldpost_ffi import FieldpostError


class WatchError(FieldpostError):
    """Reading a change has failed. The watch goes on: iterate it again, and the next update brings what was missed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.kind = failure.kind
        self.retry = failure.retry
        self.reason = failure.reason

    def __reduce__(self) -> Any:
        return type(self), (Failure(kind=self.kind, retry=self.retry, reason=self.reason),)
