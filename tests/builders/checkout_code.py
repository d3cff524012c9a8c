"""Numba's cache for a wheel on sys.path: the machine code of the checkout that it was built from.

Numba keeps no code of modules inside an archive that is not named .zip, so each worker that imports
them from a wheel compiles them, which takes half a minute of its time. A copy of this file where
Python finds it, and `variables`, spare a run that. A module that differs from the checkout's is
compiled: the stamp of its code is the digest of what is in the wheel.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from numba.core.caching import InTreeCacheLocator

_ROOT = "CHECKOUT_OF_WHEEL"


def variables(folder: Path, root: Path) -> dict[str, str]:
    """Copy this module into a folder; return the environment of a run that takes code by it.

    Args:
        root: The checkout.
    """
    shutil.copy(__file__, folder)
    locator = f"{Path(__file__).stem}.{CheckoutCode.__name__}"
    return {
        "PYTHONPATH": str(folder),
        "NUMBA_CACHE_LOCATOR_CLASSES": locator,
        _ROOT: str(root),
    }


class CheckoutCode(InTreeCacheLocator):  # type: ignore[misc]
    """The cache beside the checkout's file of the same name as a wheel's.

    Source: numba.core.caching, whose locators are chosen by NUMBA_CACHE_LOCATOR_CLASSES.
    """

    def __init__(self, function: Any, file: str) -> None:
        _, is_wheel, name = file.partition(".whl/")
        super().__init__(function, os.path.join(os.environ[_ROOT], name) if is_wheel else file)
        loader = function.__globals__["__loader__"]
        self._source: bytes | None = loader.get_data(file) if is_wheel else None

    def get_source_stamp(self) -> Any:
        if self._source is None:
            return super().get_source_stamp()
        return hashlib.sha256(self._source).digest()

    @classmethod
    def from_function(cls, function: Any, file: str) -> CheckoutCode:
        locator = cls(function, file)
        locator.ensure_cache_path()
        return locator
