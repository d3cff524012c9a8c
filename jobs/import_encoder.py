"""Make the one file that scorer quality_bert reads: a model in a folder -> FILE.safetensors.

    python -m jobs.import_encoder --model DIR --output FILE.safetensors
    python -m jobs.import_encoder --model DIR --checkpoint model.pt --output FILE.safetensors

The folder is as transformers saves one: configuration, tokenizer, weights. Without a checkpoint it
holds a regressor or classifier made by AutoModelForSequenceClassification. With one, the folder's
configuration and tokenizer are that of the encoder, and the weights those of a checkpoint of
BERTEval, as EvalWeb publishes them. Nothing in a checkpoint is executed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jobs.catalogue.fetch import catalogue_entry
from udfs.encoder.encoder_file import Activation, EncoderFileError, EncoderHeader, EncoderSettings

PREFIX = "bert_regression_by_word_document."
"""Where the published network keeps what it scores with; DistributedDataParallel puts ``module.``
before it."""


class ImportFailed(ValueError):
    """A model cannot be made a scorer of; the message names the file."""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file and print its entry for the catalogue; 2 where the model is none."""
    parser = argparse.ArgumentParser(
        prog="import_bert",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--checkpoint", type=Path, help="weights of BERTEval, .pt")
    parser.add_argument("--label", help="class of a classifier whose probability is the score")
    parser.add_argument(
        "--activation",
        choices=("sigmoid", "none"),
        default="none",
        help="of a regressor with one output",
    )
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    try:
        if arguments.checkpoint is None:
            import_folder(arguments.model, arguments.output, arguments.label, arguments.activation)
        else:
            import_checkpoint(arguments.model, arguments.checkpoint, arguments.output)
    except (ImportFailed, EncoderFileError, OSError) as error:
        print(f"import_bert: {error}", file=sys.stderr)
        return 2
    print(catalogue_entry(arguments.output, "model"))
    return 0


def import_checkpoint(folder: Path, checkpoint: Path, output: Path) -> None:
    """Write a published checkpoint of BERTEval as a scorer's file.

    Raises:
        ImportFailed: it is no such checkpoint, or the folder's configuration is not its own.
    """
    import torch
    from torch.serialization import safe_globals

    config = _config(folder)
    if (scale := config.get("score_range", [0, 1])) != [0, 1]:
        raise ImportFailed(f"{folder}: score_range = {scale}: expected [0, 1]")
    try:
        with safe_globals([SimpleNamespace]):  # of the training's settings, saved beside
            found = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # as many kinds as there are ways for a file to be another one
        raise ImportFailed(f"{checkpoint}: cannot be read as weights alone: {error}") from error
    weights = found.get("state_dict", found) if isinstance(found, dict) else {}
    header = _header(folder, config, EncoderSettings("pooled", "sigmoid", 0, _max_tokens(config)))
    _write(header, _without_prefixes(weights, checkpoint), output, checkpoint)


def import_folder(
    folder: Path, output: Path, label: str | None = None, activation: Activation = "none"
) -> None:
    """Write a regressor or classifier of transformers as a scorer's file.

    Raises:
        ImportFailed: the folder holds none, or no such label.
    """
    from transformers import AutoModelForSequenceClassification

    config = _config(folder)
    if not any("ForSequenceClassification" in a for a in config.get("architectures") or []):
        raise ImportFailed(
            f"{folder}: architectures = {config.get('architectures')}: expected a model "
            "ForSequenceClassification; an encoder alone needs --checkpoint"
        )
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True
    )
    labels: dict[str, int] = model.config.label2id
    if len(labels) == 1:
        settings = EncoderSettings("sequence", activation, 0, _max_tokens(config))
    elif label in labels:
        settings = EncoderSettings("sequence", "softmax", labels[label], _max_tokens(config))
    else:
        raise ImportFailed(f"{folder}: --label {label}: its labels are {', '.join(labels)}")
    header = _header(folder, model.config.to_dict(), settings)
    _write(header, model.state_dict(), output, folder)


def _without_prefixes(weights: Mapping[str, Any], checkpoint: Path) -> dict[str, Any]:
    """The encoder's and the head's weights by the names that they have here."""
    names = {"bert.": "encoder.", "mlp.1.": "head."}
    found = {}
    for name, tensor in weights.items():
        own = name.removeprefix("module.")
        if not own.startswith(PREFIX):
            raise ImportFailed(f"{checkpoint}: {name}: expected only names under {PREFIX}")
        own = own.removeprefix(PREFIX)
        if own.endswith("embeddings.position_ids"):
            continue  # numbers from 0 on, which old releases of transformers saved too
        for old, new in names.items():
            if own.startswith(old):
                found[new + own.removeprefix(old)] = tensor
    return found


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ImportFailed(f"{path}: {error}") from error
    if "model_type" not in config:
        raise ImportFailed(f"{path}: model_type is not there")
    return config


def _max_tokens(config: Mapping[str, Any]) -> int:
    """Longest input. RoBERTa and its kin count positions from behind the padding's number on."""
    positions = int(config["max_position_embeddings"])
    is_shifted = "roberta" in config["model_type"]
    return positions - (int(config["pad_token_id"]) + 1 if is_shifted else 0)


def _header(folder: Path, config: Mapping[str, Any], settings: EncoderSettings) -> EncoderHeader:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    # A vocabulary that is not found makes a tokenizer of nothing but special tokens, silently.
    if not 0.9 * config["vocab_size"] <= len(tokenizer) <= config["vocab_size"]:
        raise ImportFailed(
            f"{folder}: its tokenizer has {len(tokenizer):,} tokens, its encoder "
            f"{config['vocab_size']:,}"
        )
    return EncoderHeader(settings, config, tokenizer.backend_tokenizer.to_str())


def _write(header: EncoderHeader, weights: Mapping[str, Any], output: Path, source: Path) -> None:
    from udfs.encoder.model import Encoder
    from udfs.encoder.weights import save_encoder

    try:
        Encoder(header).load(weights)
    except RuntimeError as error:
        raise ImportFailed(f"{source}: weights do not fit: {error}") from error
    output.parent.mkdir(parents=True, exist_ok=True)
    save_encoder(header, weights, output)


if __name__ == "__main__":
    sys.exit(main())
