"""Import an encoder for the scorer quality_bert: a model's folder -> FILE.safetensors.

    python -m jobs.import_encoder --model DIR --output FILE.safetensors
    python -m jobs.import_encoder --model DIR --checkpoint model.pt --output FILE.safetensors

The folder is one that transformers saved: configuration, tokenizer, weights. Without --checkpoint
it holds a regressor or classifier of AutoModelForSequenceClassification. With --checkpoint it holds
configuration and tokenizer of the encoder, and the weights come from a checkpoint of BERTEval, as
EvalWeb publishes them. Nothing in a checkpoint is executed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jobs.catalogue.fetch import catalogue_entry
from jobs.config.exit_status import MEANINGS_WITHOUT_STAGES, exit_status_help, until_interrupted
from udfs.encoder.encoder_file import Activation, EncoderFileError, EncoderHeader, EncoderSettings
from udfs.encoder.model_folder import folder_config, folder_tokenizer, longest_input

PREFIX = "bert_regression_by_word_document."
"""Prefix of the names of the scoring weights in the published network, after the ``module.`` of
DistributedDataParallel."""


class ImportFailed(ValueError):
    """A model cannot be imported as a scorer; the message names the file."""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file and print its entry for the catalogue.

    Returns:
        0, or 2 when the model cannot be imported.
    """
    parser = argparse.ArgumentParser(
        prog="import_encoder",
        description=__doc__,
        epilog=exit_status_help(MEANINGS_WITHOUT_STAGES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--checkpoint", type=Path, help="weights of BERTEval, .pt")
    parser.add_argument("--label", help="class of a classifier whose probability is the score")
    parser.add_argument(
        "--activation",
        choices=("sigmoid", "none"),
        default="none",
        help="activation of a regressor with one output (%(default)s)",
    )
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    try:
        if arguments.checkpoint is None:
            import_folder(arguments.model, arguments.output, arguments.label, arguments.activation)
        else:
            import_checkpoint(arguments.model, arguments.checkpoint, arguments.output)
    except (ImportFailed, EncoderFileError, OSError) as error:
        print(f"import_encoder: {error}", file=sys.stderr)
        return 2
    print(catalogue_entry(arguments.output, "model"))
    return 0


def import_checkpoint(folder: Path, checkpoint: Path, output: Path) -> None:
    """Write a published checkpoint of BERTEval as a scorer's file.

    Raises:
        ImportFailed: another kind of file, or a configuration that does not match its weights.
    """
    import torch
    from torch.serialization import safe_globals

    config = folder_config(folder)
    if (scale := config.get("score_range", [0, 1])) != [0, 1]:
        raise ImportFailed(f"{folder}: score_range = {scale}: expected [0, 1]")
    try:
        with safe_globals([SimpleNamespace]):  # the training's settings, stored in the checkpoint
            found = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling another kind of file raises any exception
        raise ImportFailed(f"{checkpoint}: expected weights only: {error}") from error
    weights = found.get("state_dict", found) if isinstance(found, dict) else {}
    header = _header(folder, config, EncoderSettings("pooled", "sigmoid", 0, longest_input(config)))
    _write(header, _without_prefixes(weights, checkpoint), output, checkpoint)


def import_folder(
    folder: Path, output: Path, label: str | None = None, activation: Activation = "none"
) -> None:
    """Write a regressor or classifier of transformers as a scorer's file.

    Raises:
        ImportFailed: another kind of model, or an unknown label.
    """
    from transformers import AutoModelForSequenceClassification

    config = folder_config(folder)
    if not any("ForSequenceClassification" in a for a in config.get("architectures") or []):
        raise ImportFailed(
            f"{folder}: architectures = {config.get('architectures')}: expected "
            "...ForSequenceClassification; for an encoder alone give --checkpoint"
        )
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True
    )
    labels: dict[str, int] = model.config.label2id
    if len(labels) == 1:
        settings = EncoderSettings("sequence", activation, 0, longest_input(config))
    elif label in labels:
        settings = EncoderSettings("sequence", "softmax", labels[label], longest_input(config))
    else:
        raise ImportFailed(f"{folder}: --label {label}: expected one of {', '.join(labels)}")
    header = _header(folder, model.config.to_dict(), settings)
    _write(header, model.state_dict(), output, folder)


def _without_prefixes(weights: Mapping[str, Any], checkpoint: Path) -> dict[str, Any]:
    """Weights of encoder and head, renamed as in `udfs.encoder.model.Encoder`."""
    names = {"bert.": "encoder.", "mlp.1.": "head."}
    found = {}
    for name, tensor in weights.items():
        own = name.removeprefix("module.")
        if not own.startswith(PREFIX):
            raise ImportFailed(f"{checkpoint}: {name}: expected only names under {PREFIX}")
        own = own.removeprefix(PREFIX)
        if own.endswith("embeddings.position_ids"):
            continue  # 0, 1, 2 ..., saved by old releases of transformers
        for old, new in names.items():
            if own.startswith(old):
                found[new + own.removeprefix(old)] = tensor
    return found


def _header(folder: Path, config: Mapping[str, Any], settings: EncoderSettings) -> EncoderHeader:
    return EncoderHeader(settings, config, folder_tokenizer(folder, config))


def _write(header: EncoderHeader, weights: Mapping[str, Any], output: Path, source: Path) -> None:
    from udfs.encoder.model import Encoder
    from udfs.encoder.weights import save_encoder

    try:
        Encoder(header).load(weights)
    except RuntimeError as error:
        raise ImportFailed(f"{source}: weights do not match its configuration: {error}") from error
    output.parent.mkdir(parents=True, exist_ok=True)
    save_encoder(header, weights, output)


if __name__ == "__main__":
    sys.exit(until_interrupted("import_encoder", main))
