"""Images measured in an isolated process: the same facts, and a deadly image is lost alone."""

from __future__ import annotations

import sys

import pytest

from tests.builders.images import image_bytes
from udfs.images.isolated_decoder import CRASH, TOO_SLOW, isolated_images
from udfs.images.measure import UnusableImage, measure_image

BODIES = [image_bytes(number=0), b"<html>404", image_bytes(number=1), b"", image_bytes("gif")]
HELPER = """
import os, signal, sys, time
from udfs.images import isolated_decoder

def measured(request, measure=isolated_decoder._measured):
    if len(request[0]) == {length}:
        {act}
    return measure(request)

isolated_decoder._measured = measured
isolated_decoder.main(sys.argv[1:])
"""


def test_facts_are_those_of_this_process() -> None:
    assert list(isolated_images(BODIES)) == [measure_image(body) for body in BODIES]


@pytest.mark.parametrize(
    ("act", "limit_s", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", 300.0, CRASH),
        pytest.param("time.sleep(600)", 30.0, TOO_SLOW, marks=pytest.mark.slow),
    ],
)
def test_a_deadly_image_is_lost_alone(act: str, limit_s: float, reason: str) -> None:
    deadly = BODIES[2]
    command = [sys.executable, "-c", HELPER.format(length=len(deadly), act=act)]
    found = list(isolated_images(BODIES, limit_s=limit_s, command=command))
    expected = [measure_image(body) for body in BODIES]
    expected[2] = UnusableImage(reason)
    assert found == expected
