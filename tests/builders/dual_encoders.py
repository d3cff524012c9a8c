"""Small models of the CLIP family with random weights, in folders as transformers saves them."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    ChineseCLIPConfig,
    ChineseCLIPModel,
    CLIPConfig,
    CLIPModel,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipModel,
)
from transformers.models.chinese_clip.image_processing_pil_chinese_clip import (
    ChineseCLIPImageProcessorPil,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from udfs.pair_scorers.model_folders import pack_folder

CHARACTERS = "老桥集市上雨中的行人山水猫狗红绿花车站一二三四五六七八九十"
CONTEXT = 16
_TOWER = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
_VISION = {**_TOWER, "image_size": 32, "patch_size": 8}
FAMILIES = ("clip", "chinese_clip", "siglip")


def tokenizer_of(family: str) -> PreTrainedTokenizerFast:
    """A token a character; a text between two special tokens, for SigLIP before one."""
    pieces = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", *CHARACTERS]
    tokenizer = Tokenizer(models.WordLevel({p: n for n, p in enumerate(pieces)}, "[UNK]"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    frame = "$A [SEP]" if family == "siglip" else "[CLS] $A [SEP]"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=frame, special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        unk_token="[UNK]",
        model_max_length=CONTEXT,
    )


def folder_of(path: Path, family: str) -> Path:
    """Write the folder of a model, the same for the same family."""
    torch.manual_seed(7)
    tokenizer = tokenizer_of(family)
    text = {**_TOWER, "vocab_size": len(tokenizer), "max_position_embeddings": CONTEXT}
    if family == "clip":
        text |= {"eos_token_id": 2, "bos_token_id": 1, "pad_token_id": 0}
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=_VISION, projection_dim=24))
        images = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32)
    elif family == "chinese_clip":
        config = ChineseCLIPConfig(text_config=text, vision_config=_VISION, projection_dim=24)
        model = ChineseCLIPModel(config)
        images = ChineseCLIPImageProcessorPil(
            size={"height": 32, "width": 32}, do_center_crop=False
        )
    else:
        model = SiglipModel(SiglipConfig(text_config=text, vision_config=_VISION))
        images = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    for of in (model, tokenizer, images):
        of.save_pretrained(path)
    return path


def packed_of(path: Path, family: str) -> Path:
    """Write the file of a model."""
    pack_folder(folder_of(path / family, family), path / f"{family}.zip")
    return path / f"{family}.zip"
