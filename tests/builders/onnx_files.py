"""Small ONNX files, written byte by byte: classifiers whose outputs are the means of colours."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_FLOAT = 1


def field(number: int, value: int | bytes | str) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    body = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def value_info(name: str, shape: Sequence[int | str], kind: int = _FLOAT) -> bytes:
    """An input or output."""
    axes = b"".join(
        field(1, field(1, length) if isinstance(length, int) else field(2, length))
        for length in shape
    )
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, axes)))


def tensor(name: str, numbers: Sequence[float], shape: Sequence[int]) -> bytes:
    """Numbers of the file itself."""
    head = b"".join(field(1, length) for length in shape) + field(2, _FLOAT)
    return head + field(8, name) + field(9, struct.pack(f"<{len(numbers)}f", *numbers))


def node(operator: str, inputs: Sequence[str], output: str) -> bytes:
    """A step of the network, without attributes."""
    return b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, operator)


def model(
    nodes: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    tensors: Sequence[bytes] = (),
    properties: Sequence[tuple[str, str]] = (),
) -> bytes:
    """An ONNX file."""
    graph = b"".join(field(1, one) for one in nodes) + field(2, "graph")
    graph += b"".join(field(5, one) for one in tensors)
    graph += b"".join(field(11, one) for one in inputs)
    graph += b"".join(field(12, one) for one in outputs)
    entries = [field(14, field(1, key) + field(2, value)) for key, value in properties]
    return field(1, 8) + field(8, field(2, 13)) + field(7, graph) + b"".join(entries)


def colour_means(
    shape: Sequence[int | str] = ("batch", 3, 8, 8), weights: Sequence[float] = (1.0, 1.0, 1.0)
) -> bytes:
    """A network with an output for each place of the second axis: its mean times a weight."""
    nodes = [
        node("GlobalAveragePool", ["x"], "means"),
        node("Flatten", ["means"], "flat"),
        node("Mul", ["flat", "weights"], "y"),
    ]
    return model(
        nodes,
        [value_info("x", shape)],
        [value_info("y", (shape[0], len(weights)))],
        [tensor("weights", weights, (len(weights),))],
    )
