"""Loops over bytes and arrays, compiled to machine code when they are first called.

A page is too small for numpy: a dozen passes over a thousand tags cost more in calls than in work,
and each reads the whole page again. One compiled loop gives the same in a fraction of the time.

What such a function takes from its module is fixed in the code, and the code on disk is made anew
when that one file changes: tables, and numbers of other modules, are therefore arguments.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def compiled(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A function of numbers and arrays, as machine code.

    It is compiled once for each set of argument types, which takes about 0.3 s; the code is kept
    on disk for later processes where there is a place for it. Indices are not checked: one out of
    range reads or writes memory that is not the array's. Constants become part of the code, and the
    cache looks at the function's own file alone: after changing one that another file's function
    imports, touch that file (until then its comparison with the plain twin fails).

    Source: numba.njit; exact arithmetic, as fast mathematics differs from machine to machine.
    """
    try:
        return cast(Callable[_Arguments, _Result], njit(cache=True, nogil=True)(function))
    except RuntimeError:
        # No place for a cache: the source is in a zip, or nothing near it can be written to.
        return cast(Callable[_Arguments, _Result], njit(nogil=True)(function))


def _copy_bytes(
    _: Any, target: Any, to: Any, source: Any, begin: Any, length: Any
) -> tuple[Any, Callable[..., Any]]:
    """The types and the code of `copy_bytes`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            context.make_array(signature.args[place])(context, builder, arguments[place])
            for place in (0, 2)
        ]
        into, out_of = (
            builder.gep(array.data, [arguments[place]])
            for array, place in zip(arrays, (1, 3), strict=True)
        )
        cast(Any, cgutils).raw_memcpy(builder, into, out_of, arguments[4], 1)
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp, types.intp), code


def _uncounted(_: Any, array: Any) -> tuple[Any, Callable[..., Any]]:
    """The types and the code of `uncounted`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        for owner in ("meminfo", "parent"):
            setattr(view, owner, cast(Any, cgutils).get_null_value(getattr(view, owner).type))
        return view._getvalue()

    return array(array), code


if TYPE_CHECKING:
    _Array = TypeVar("_Array", bytes, npt.NDArray[np.uint8])

    def uncounted(array: _Array) -> _Array:
        """An argument of a compiled function, borrowed from its caller for the call's time.

        Else every part that is cut out of it, and every function that it is handed to, counts
        references, by two atomic instructions: of a loop over blocks that was a fifth of the time.
        Never for an array that the function makes itself: it would be freed at once.
        """

    def copy_bytes(
        target: npt.NDArray[np.uint8],
        to: int,
        source: bytes | npt.NDArray[np.uint8],
        begin: int,
        length: int,
    ) -> None:
        """Copies bytes inside a compiled function: a fifth of the time of a loop that does."""
else:
    copy_bytes = intrinsic(_copy_bytes)
    uncounted = intrinsic(_uncounted)
