"""The header of an ONNX file: what goes in, what comes out, what the file needs beside it.

Settings are checked on a driver that need not have ONNX Runtime, so the few fields are read here:
an ONNX file is a protocol buffer, whose fields follow one another with number, type and length.

Source: onnx.proto3 (ModelProto, GraphProto, ValueInfoProto, TensorProto); the protocol buffers'
wire format.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from udfs.base.settings import ConfigError
from udfs.scorers.declaration import KnownFiles, read_known

Shape = tuple[int | str | None, ...]
"""Length of each axis: a number, the name of one that is chosen at run time, or None."""

_GRAPH, _PROPERTIES = 7, 14  # of a model
_INITIALIZER, _INPUT, _OUTPUT = 5, 11, 12  # of a graph
_LOCATION, _EXTERNAL = 14, 1  # of a tensor whose numbers lie in another file
_FLOAT = 1  # of a tensor's types
_NEGATIVE = 1 << 63


class OnnxFileError(ValueError):
    """A file is not an ONNX model that can be used; the message names the file."""


@dataclass(frozen=True)
class OnnxValue:
    """An input or output of the network."""

    name: str
    is_float: bool
    """Whether its numbers are of 32-bit floating point."""
    shape: Shape


@dataclass(frozen=True)
class OnnxHeader:
    """What a model file states."""

    inputs: tuple[OnnxValue, ...]
    """Without those that the file itself gives a value."""
    outputs: tuple[OnnxValue, ...]
    properties: dict[str, str]
    """Metadata: PaddleOCR's recognisers have their ``character`` list there."""


def read_onnx_header(path: Path) -> OnnxHeader:
    """Read what an ONNX file states; needs neither onnx nor ONNX Runtime.

    Raises:
        OnnxFileError: it is no ONNX model; its weights lie in other files, which a digest would not
            cover and whose paths may lead anywhere.
        OSError: it cannot be read.
    """
    data = memoryview(path.read_bytes())
    graphs: list[memoryview] = []
    properties: dict[str, str] = {}
    try:
        for number, value in _fields(data):
            if number == _GRAPH and isinstance(value, memoryview):
                graphs.append(value)
            elif number == _PROPERTIES and isinstance(value, memoryview):
                entry = dict(_fields(value))
                properties[_text(entry.get(1))] = _text(entry.get(2))
        if len(graphs) != 1:
            raise OnnxFileError(f"{path}: is not an ONNX model")
        return _header_of(graphs[0], properties, path)
    except (ValueError, IndexError) as error:
        if isinstance(error, OnnxFileError):
            raise
        raise OnnxFileError(f"{path}: is not an ONNX model: {error}") from error


def checked_header(section: str, key: str, files: KnownFiles) -> OnnxHeader | None:
    """Read the header of a setting's file; None where it is not on this machine.

    Raises:
        ConfigError: it is no model that can be used, or has not one input of floats with four axes.
    """
    where = f"{section}.{key}"
    header = read_known(where, files.get(key), read_onnx_header, OnnxFileError)
    if header is None:
        return None
    if [(one.is_float, len(one.shape)) for one in header.inputs] != [(True, 4)]:
        shapes = ", ".join(f"{one.name} {list(one.shape)}" for one in header.inputs) or "none"
        raise ConfigError(
            f"{where}: {files[key].path}: expected one input of 32-bit floats with four axes; its "
            f"inputs: {shapes}"
        )
    return header


def _header_of(graph: memoryview, properties: dict[str, str], path: Path) -> OnnxHeader:
    inputs, outputs, given = [], [], set()
    for number, value in _fields(graph):
        if not isinstance(value, memoryview):
            continue
        if number == _INPUT:
            inputs.append(_value_of(value))
        elif number == _OUTPUT:
            outputs.append(_value_of(value))
        elif number == _INITIALIZER:
            tensor = dict(_fields(value))
            if tensor.get(_LOCATION) == _EXTERNAL:
                raise OnnxFileError(f"{path}: has weights in other files; save it as one file")
            given.add(_text(tensor.get(8)))
    return OnnxHeader(
        tuple(one for one in inputs if one.name not in given), tuple(outputs), properties
    )


def _value_of(value: memoryview) -> OnnxValue:
    """ValueInfoProto: name, type.tensor_type.(elem_type, shape.dim.(dim_value | dim_param))."""
    fields = dict(_fields(value))
    kind = dict(_fields(_bytes(fields.get(2))))
    tensor = dict(_fields(_bytes(kind.get(1))))
    axes = [_bytes(axis) for number, axis in _fields(_bytes(tensor.get(2))) if number == 1]
    return OnnxValue(
        _text(fields.get(1)), tensor.get(1) == _FLOAT, tuple(_length(axis) for axis in axes)
    )


def _length(axis: memoryview) -> int | str | None:
    fields = dict(_fields(axis))
    number = fields.get(1)
    if isinstance(number, int) and 0 < number < _NEGATIVE:  # -1 is any length, too
        return number
    return _text(fields.get(2)) or None


def _bytes(value: int | memoryview | None) -> memoryview:
    return value if isinstance(value, memoryview) else memoryview(b"")


def _text(value: int | memoryview | None) -> str:
    return bytes(_bytes(value)).decode()


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field: a number, or the bytes of anything else.

    Raises:
        ValueError, IndexError: they are no fields.
    """
    at = 0
    while at < len(data):
        tag, at = _number(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _number(data, at)
            yield number, value
            continue
        if kind not in (1, 2, 5) or number == 0:
            raise ValueError(f"field {number} of type {kind} at byte {at}")
        length, at = (8, at) if kind == 1 else (4, at) if kind == 5 else _number(data, at)
        if at + length > len(data):
            raise ValueError(f"field {number} ends behind the file")
        yield number, data[at : at + length]
        at += length


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, the lowest first, and the place behind it."""
    found = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found, at
    raise ValueError(f"a number of more than ten bytes before byte {at}")
