"""Loops over bytes and arrays, compiled to machine code by numba when they are first called.

A page is too small for numpy: a dozen passes over a thousand tags cost more in calls than in work,
and each reads the whole page again. One compiled loop takes a fraction of that time.

The value of a module's global is fixed in the compiled code, and the cache on disk is rebuilt only
when the function's own file changes: tables, and constants of other modules, are therefore passed
as arguments.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, cast

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from udfs.base.array_types import UInt8Array

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

BLOCK_BYTES = 32
"""Bytes that `equal_bits` and `low_bits` look at."""
_loops: list[Any] = []
"""The compiled functions of the modules that this process has imported."""


def compiled(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Compile a function of numbers and arrays to machine code.

    Each set of argument types is compiled once, which takes about 0.3 s; the code is cached on
    disk for later processes where a folder for it can be written. Indices are not checked: one out
    of range reads or writes memory outside the array. The cache depends on the text of the
    function's own file alone: after changing a constant or a compiled function that one of another
    file imports, delete that file's ``*.nbi`` in ``__pycache__`` (until then its comparison with
    the plain twin fails).

    Source: numba.njit; exact arithmetic, as fast mathematics differs from machine to machine.
    """
    loop = _compiled(function, "never")
    _loops.append(loop)
    return loop


def load_cached_loops() -> int:
    """Load the machine code on disk of all compiled functions of the modules imported so far.

    A function that has none is compiled when it is called. The first code that a process loads
    takes 0.4 s, as Numba then imports what it compiles with; each other 3 ms.

    Returns:
        Sets of argument types whose code was loaded.
    Source: numba.core.caching, whose index of a function has a key for each set.
    """
    loaded = 0
    for loop in _loops:
        cache = loop._cache
        file = getattr(cache, "_cache_file", None)  # none where no folder can be written
        for key in file._load_index() if file is not None else ():
            types_of_arguments = key[0]
            # Code for another processor, or of another state of the file, would be compiled here.
            if key == cache._index_key(types_of_arguments, loop.targetctx.codegen()):
                loop.compile(types_of_arguments)
                loaded += 1
    return loaded


def inlined(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Compile a part of another compiled function into it, as if it were written there.

    For a part that is called for each byte with arrays: a call of `compiled` counts references to
    them, which made the loop over a page's text take 3.3 times as long.
    """
    return _compiled(function, "always")


def _compiled(
    function: Callable[_Arguments, _Result], inline: Literal["never", "always"]
) -> Callable[_Arguments, _Result]:
    try:
        compiled = njit(cache=True, nogil=True, inline=inline)(function)
    except RuntimeError:
        # No folder for a cache: the source is in a zip, or no folder near it can be written.
        compiled = njit(nogil=True, inline=inline)(function)
    _forget_literals(compiled)
    return cast(Callable[_Arguments, _Result], compiled)


def _forget_literals(loop: Any) -> None:
    """Let calls of a compiled function with constants use the code for numbers of their type.

    Numba takes a constant's value for its type, and compiles the called function again for each: a
    fifth of what the extraction compiled. LLVM has both functions, and puts constants in where
    that gains something.

    Source: numba.core.types.Dispatcher.get_call_type, which asks for a template.
    """
    template_of, type_of = loop.get_call_template, cast(Any, types).unliteral

    def template_of_numbers(arguments: Any, named: Any) -> Any:
        plain = tuple(map(type_of, arguments))
        return template_of(plain, {key: type_of(named[key]) for key in named})

    loop.get_call_template = template_of_numbers


def _copy_bytes(
    _: Any, target: Any, to: Any, source: Any, begin: Any, length: Any
) -> tuple[Any, Callable[..., Any]]:
    """Signature and code of `copy_bytes`."""

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


def _block_bits(comparison: str) -> Callable[..., tuple[Any, Callable[..., Any]]]:
    """Return the signature and code of a comparison of a block's bytes with one byte."""

    def of_arguments(_: Any, array: Any, at: Any, byte: Any) -> tuple[Any, Callable[..., Any]]:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            ir = cast(Any, cgutils).ir
            view = context.make_array(signature.args[0])(context, builder, arguments[0])
            kind = ir.VectorType(ir.IntType(8), BLOCK_BYTES)
            begin = builder.gep(view.data, [arguments[1]])
            block = builder.load(builder.bitcast(begin, kind.as_pointer()), align=1)
            lanes = ir.VectorType(ir.IntType(32), BLOCK_BYTES)
            one = builder.insert_element(kind(ir.Undefined), arguments[2], ir.IntType(32)(0))
            repeated = builder.shuffle_vector(one, kind(ir.Undefined), lanes(None))
            found = builder.icmp_unsigned(comparison, block, repeated)
            bits = builder.bitcast(found, ir.IntType(BLOCK_BYTES))
            return builder.zext(bits, ir.IntType(64))

        return types.uint64(array, types.intp, types.uint8), code

    return of_arguments


def _first_bit(_: Any, bits: Any) -> tuple[Any, Callable[..., Any]]:
    """Signature and code of `first_bit`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cast(Any, cgutils).ir.IntType(1)(1))

    return types.intp(types.uint64), code


def _bit_count(_: Any, bits: Any) -> tuple[Any, Callable[..., Any]]:
    """Signature and code of `bit_count`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.intp(types.uint64), code


def _word_at(_: Any, array: Any, at: Any) -> tuple[Any, Callable[..., Any]]:
    """Signature and code of `word_at`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        word = cast(Any, cgutils).ir.IntType(64).as_pointer()
        return builder.load(builder.bitcast(builder.gep(view.data, [arguments[1]]), word), align=1)

    return types.uint64(array, types.intp), code


def _uncounted(_: Any, array: Any) -> tuple[Any, Callable[..., Any]]:
    """Signature and code of `uncounted`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        for owner in ("meminfo", "parent"):
            setattr(view, owner, cast(Any, cgutils).get_null_value(getattr(view, owner).type))
        return view._getvalue()

    return array(array), code


def _prefetch(_: Any, array: Any, index: Any) -> tuple[Any, Callable[..., Any]]:
    """Signature and code of `prefetch`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        ir = cast(Any, cgutils).ir
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        element = builder.gep(view.data, [arguments[1]])
        address = builder.bitcast(element, ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [address.type, number, number, number])
        called = cast(Any, cgutils).get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        read, all_caches, data = number(0), number(3), number(1)
        builder.call(called, [address, read, all_caches, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), code


if TYPE_CHECKING:
    _Array = TypeVar("_Array", bound=bytes | np.ndarray[Any, Any])

    def uncounted(array: _Array) -> _Array:
        """Return an argument of a compiled function without reference counting.

        Otherwise each slice of it, and each call with it, counts references by two atomic
        instructions: a fifth of the time of a loop over blocks. Only for arguments, which the
        caller keeps alive: an array that the function allocates itself would be freed at once.
        """

    def copy_bytes(
        target: UInt8Array,
        to: int,
        source: bytes | UInt8Array,
        begin: int,
        length: int,
    ) -> None:
        """Copy bytes inside a compiled function, in a fifth of the time of a loop."""

    def equal_bits(page: bytes | UInt8Array, at: int, byte: int) -> np.uint64:
        """Return which of the BLOCK_BYTES bytes from a place on are a byte, the first as the lowest
        bit. The block must not go beyond the page's end."""

    def low_bits(page: bytes | UInt8Array, at: int, byte: int) -> np.uint64:
        """As `equal_bits`, for bytes that are at most a byte."""

    def first_bit(bits: np.uint64) -> int:
        """Return the place of the lowest bit that is set; not for 0."""

    def bit_count(bits: np.uint64) -> int:
        """Return how many bits are set."""

    def word_at(page: bytes | UInt8Array, at: int) -> np.uint64:
        """Return the 8 bytes from a place on as one number, the first as the lowest."""

    def prefetch(array: np.ndarray[Any, Any], place: int | np.uint64) -> None:
        """Load the cache line of a flat array's element, without waiting for it.

        For look-ups in a table that is larger than the processor's cache, whose places are known
        some look-ups before: the scores of language models take 0.6 of the time.
        """
else:
    equal_bits = intrinsic(_block_bits("=="))
    low_bits = intrinsic(_block_bits("<="))
    first_bit = intrinsic(_first_bit)
    bit_count = intrinsic(_bit_count)
    word_at = intrinsic(_word_at)
    prefetch = intrinsic(_prefetch)
    copy_bytes = intrinsic(_copy_bytes)
    uncounted = intrinsic(_uncounted)
