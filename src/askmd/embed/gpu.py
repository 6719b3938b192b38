"""Whether a GPU could do the work, found out without importing what would use it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def has_gpu(
    load: Callable[[str], Any] | None = None, torch_version: Callable[[], str] | None = None
) -> bool:
    """Return whether there is an NVIDIA GPU and a torch that was built for one.

    load: opens the driver's library; torch_version: the installed one's. Apple's GPUs count as
    none: nobody has tried askmd on one.
    """
    try:
        return _devices(load or _opened) > 0 and not (torch_version or _version)().endswith("+cpu")
    except (OSError, AttributeError, ImportError):
        return False


def _devices(load: Callable[[str], Any]) -> int:
    """Return how many GPUs the driver shows; raises OSError where there is no driver."""
    from ctypes import byref, c_int

    driver = load("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    count = c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(byref(count)) != 0:
        return 0
    return count.value


def _opened(name: str) -> Any:
    from ctypes import CDLL

    return CDLL(name)


def _version() -> str:
    from importlib.metadata import version

    return version("torch")
