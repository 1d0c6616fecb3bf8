"""Offline-first messaging for field teams on Supabase.

An app opens a :class:`Client` on a local file and a Supabase project. Reading and writing work on the file at once, online or
offline; :meth:`Client.sync` makes both sides agree when there is a network. See README.md for an example.
"""

from typing import TYPE_CHECKING

from ._library import load as _load

__version__ = "0.1.0"

_load(__version__)

from . import _adapting, _asking, _calls  # noqa: E402

_adapting.install()
_asking.install()
_calls.install()

if TYPE_CHECKING:
    # Of a name that is imported twice mypy takes the first, and Python the last.
    from .client import Client as Client
    from .errors import FieldpostError as FieldpostError
    from .watching import Timeline as Timeline

from ._native.fieldpost_ffi import *  # type: ignore[assignment]  # noqa: E402,F401,F403
from .client import Client as Client  # noqa: E402
from .diffs import apply as apply  # noqa: E402
from .errors import FieldpostError as FieldpostError, WatchError as WatchError  # noqa: E402
from .watching import Timeline as Timeline, Watch as Watch  # noqa: E402
