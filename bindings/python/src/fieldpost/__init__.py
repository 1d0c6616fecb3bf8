"""Offline-first messaging for field teams on Supabase.

An app opens a :class:`Client` on a local file and a Supabase project. Reading and writing work on the file at once, online or
offline; :meth:`Client.sync` makes both sides agree when there is a network. See README.md for an example.
"""

import atexit as _atexit

from ._library import load as _load

__version__ = "0.1.0"

_load(__version__)

from ._native.fieldpost_ffi import *  # noqa: E402,F401,F403
from ._native.fieldpost_ffi import FieldpostError  # noqa: E402
from .client import Client  # noqa: E402,F401
from .diffs import apply  # noqa: E402,F401
from .watching import Watch, WatchError  # noqa: E402,F401

# While Python ends, no thread of the library may call it.
_atexit.register(stop_listening)  # noqa: F405

# UniFFI prints the fields of an error. A person wants the reason.
FieldpostError.Failed.__str__ = lambda self: self.reason  # type: ignore[attr-defined]
