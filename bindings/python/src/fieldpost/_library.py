"""Loads the library, and says clearly what is wrong if it does not fit."""

import importlib


def load(version: str) -> None:
    """Imports the generated module. Raises ImportError if library and package are of different versions."""
    try:
        native = importlib.import_module("._native.fieldpost_ffi", __package__)
        found = native.library_version()
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(__package__):
            raise  # Python itself lacks something: ctypes, for example.
        raise ImportError(
            "fieldpost was installed without its library; install a wheel for this platform, or run "
            "`cargo xtask bindings build --only python` in the repository"
        ) from error
    except OSError as error:
        raise ImportError(f"the library of fieldpost cannot be loaded: {error}") from error
    except Exception as error:
        # A library of another version lacks functions, or has them with other arguments.
        raise ImportError(
            f"fieldpost {version} and its library are of different versions; install both from one wheel"
        ) from error
    if found != version:
        raise ImportError(
            f"fieldpost is {version} and its library is {found}: different versions; install both from one wheel"
        )
