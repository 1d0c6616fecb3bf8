"""Gives the wheel its tags: any Python, one platform."""

import pathlib
import platform
import re
import subprocess
import sys

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

LIBRARY = pathlib.Path(__file__).parent / "src/fieldpost/_native/libfieldpost_ffi.so"
# What every Linux with a glibc has (PEP 600).
EVERYWHERE = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1"}


def told(option: str) -> str:
    return subprocess.run(["objdump", option, str(LIBRARY)], check=True, capture_output=True, text=True).stdout


def tag() -> str:
    """The oldest glibc that has all that the library asks for."""
    if sys.platform != "linux":
        raise SystemExit("wheels are made on Linux")
    needed = {name for name in re.findall(r"NEEDED\s+(\S+)", told("-p")) if not name.startswith("ld-linux")}
    if needed - EVERYWHERE:
        raise SystemExit(f"{LIBRARY} needs {needed - EVERYWHERE}, which not every Linux has")
    versions = [tuple(map(int, found)) for found in re.findall(r"GLIBC_(\d+)\.(\d+)", told("-T"))]
    if not versions:
        raise SystemExit(f"{LIBRARY} asks for no glibc")
    major, minor = max(versions)
    return f"manylinux_{major}_{minor}_{platform.machine()}"


class Native(Distribution):
    def has_ext_modules(self) -> bool:
        return True


class Wheel(bdist_wheel):
    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", tag()


setup(distclass=Native, cmdclass={"bdist_wheel": Wheel})
