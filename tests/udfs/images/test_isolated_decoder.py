"""Images measured in an isolated process: the same facts, and a deadly image is lost alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.builders.images import image_bytes
from tests.builders.stuck_work import stuck, time_only_what_is_stuck
from udfs.images.isolated_decoder import CRASH, TOO_SLOW, isolated_images
from udfs.images.measure import ImageFacts, UnusableImage, measure_image

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


def decoder(act: str) -> list[str]:
    """The command of a decoder to which the image at 2 does something."""
    return [sys.executable, "-c", HELPER.format(length=len(BODIES[2]), act=act)]


def all_but_one(reason: str) -> list[ImageFacts | UnusableImage]:
    """What is measured when the image at 2 is lost for a reason."""
    expected = [measure_image(body) for body in BODIES]
    expected[2] = UnusableImage(reason)
    return expected


def test_a_deadly_image_is_lost_alone() -> None:
    command = decoder("os.kill(os.getpid(), signal.SIGSEGV)")
    assert list(isolated_images(BODIES, limit_s=300.0, command=command)) == all_but_one(CRASH)


def test_an_image_that_takes_too_long_is_lost_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = tmp_path / "stuck"
    time_only_what_is_stuck(monkeypatch, sign)
    command = decoder(stuck(sign))
    assert list(isolated_images(BODIES, limit_s=1.0, command=command)) == all_but_one(TOO_SLOW)
