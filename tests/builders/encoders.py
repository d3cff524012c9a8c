"""Small encoders with random weights, in folders as transformers saves them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, BertModel

from jobs import import_encoder

CHARS = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过"
)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
TOKENS = (*SPECIAL, *CHARS, *"。，！？.?!abcdefghijklmnopqrstuvwxyz0123456789", "##a", "##b")
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.3,  # so that scores differ from text to text
}


def save_tokenizer(folder: Path, tokens: tuple[str, ...] = TOKENS) -> Path:
    """A tokenizer of BERT's kind over these tokens, in a folder: as the oldest ones are, a list."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    settings = {"tokenizer_class": "BertTokenizer", "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def config_of(max_positions: int = 512, **settings: Any) -> Any:
    """A configuration of a small BERT."""
    values = {
        "vocab_size": len(TOKENS),
        "max_position_embeddings": max_positions,
        "pad_token_id": 0,
    }
    return AutoConfig.for_model("bert", **(SMALL | values | settings))


def save_checkpoint(folder: Path, prefix: str = "module.", config: Any = None) -> Path:
    """A checkpoint as BERTEval's training writes it, the encoder's folder around it; its path."""
    config = config or config_of()
    save_tokenizer(folder)
    config.save_pretrained(folder)
    torch.manual_seed(7)
    network = torch.nn.ModuleDict(
        {
            "bert": BertModel(config),
            "mlp": torch.nn.Sequential(
                torch.nn.Dropout(0.1), torch.nn.Linear(2 * config.hidden_size, 1)
            ),
        }
    )
    name = f"{prefix}bert_regression_by_word_document."
    weights = {f"{name}{key}": value for key, value in network.state_dict().items()}
    weights[f"{name}bert.embeddings.position_ids"] = torch.arange(512)[None]
    state = {
        "epoch": 19,
        "state_dict": weights,
        "optimizer": torch.optim.Adam(network.parameters()).state_dict(),
        "config": SimpleNamespace(train_mode="pretrain", loss_cfg={"mr_bias": 0.0}),
    }
    torch.save(state, folder / "model.pt")
    return folder / "model.pt"


def save_classifier(folder: Path, labels: tuple[str, ...], config: Any = None) -> Path:
    """A folder with a model for sequence classification; one label makes a regressor."""
    save_tokenizer(folder)
    config = config or config_of()
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: number for number, label in enumerate(labels)}
    torch.manual_seed(8)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    return folder


def save_encoder(folder: Path) -> Path:
    """The file that scorer quality_bert reads, of such a checkpoint; its path."""
    checkpoint, path = save_checkpoint(folder), folder / "own.safetensors"
    arguments = ["--model", str(folder), "--checkpoint", str(checkpoint)]
    assert import_encoder.main([*arguments, "--output", str(path)]) == 0
    return path
