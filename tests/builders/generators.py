"""Small generative models with random weights, in folders as transformers saves them.

Their vocabulary has whole answers as single tokens, and only these are ever written: which one
follows from the image and the text, so that an answer given to another row shows.
"""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    BlipConfig,
    BlipForConditionalGeneration,
    BlipProcessor,
    CLIPVisionConfig,
    GPT2Config,
    GraniteConfig,
    GraniteForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLProcessor,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

PAD, START, END, IMAGE, VIDEO, OPEN, CLOSE = (
    "<|pad|>",
    "<|start|>",
    "<|end|>",
    "<|image_pad|>",
    "<|video_pad|>",
    "<|vision_start|>",
    "<|vision_end|>",
)
SPECIAL = (PAD, "<|unknown|>", START, END, IMAGE, VIDEO, OPEN, CLOSE)
CHARS = (
    "\n"
    + "".join(map(chr, range(32, 127)))
    + "的一是不了在人有我他这个们中来上大为和国地到以说时要就出"
)
SCORES = tuple(f"score: {{{n}}}." for n in range(1, 11))
ANSWERS = (*SCORES, "score: {57}.", "好。", "猫在草地上。", "山。")
"""Ten scores, one outside the scale, and three without one."""
VOCABULARY = {token: n for n, token in enumerate((*SPECIAL, *CHARS, *ANSWERS))}
TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}IMAGE{% else %}{{ c['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
_TEXT = {
    "vocab_size": len(VOCABULARY),
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 400,
    "bos_token_id": VOCABULARY[START],
    "eos_token_id": VOCABULARY[END],
    "pad_token_id": VOCABULARY[PAD],
    "initializer_range": 0.3,
    "tie_word_embeddings": False,
}
_VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
    "initializer_range": 0.3,
}


def tokenizer(template: str | None = None) -> Any:
    """A tokenizer of single characters and whole answers."""
    own = Tokenizer(models.WordLevel(VOCABULARY, unk_token="<|unknown|>"))
    own.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    own.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=own,
        unk_token="<|unknown|>",
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[START, *SPECIAL[4:]],
        chat_template=template,
    )


def save_qwen2_vl(folder: Path, template: str | None = TEMPLATE) -> Path:
    """A vision-language model whose images have as many tokens as their size asks for."""
    config = Qwen2VLConfig(
        text_config=_TEXT
        | {
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [2, 3, 3],
            }
        },
        vision_config={
            "depth": 1,
            "embed_dim": 32,
            "hidden_size": 32,
            "num_heads": 2,
            "mlp_ratio": 2,
            "initializer_range": 0.3,
        },
        image_token_id=VOCABULARY[IMAGE],
        video_token_id=VOCABULARY[VIDEO],
        vision_start_token_id=VOCABULARY[OPEN],
        vision_end_token_id=VOCABULARY[CLOSE],
        tie_word_embeddings=False,
    )
    placed = None if template is None else template.replace("IMAGE", f"{OPEN}{IMAGE}{CLOSE}")
    processor = Qwen2VLProcessor(
        Qwen2VLImageProcessorPil(), tokenizer(), Qwen2VLVideoProcessor(), chat_template=placed
    )
    return _saved(Qwen2VLForConditionalGeneration, config, processor, folder)


def save_llava(folder: Path, template: str | None = TEMPLATE) -> Path:
    """A vision-language model whose images have equal numbers of tokens."""
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**_VISION),
        text_config=Qwen2Config(**_TEXT),
        image_token_index=VOCABULARY[IMAGE],
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        tie_word_embeddings=False,
    )
    size = {"height": 28, "width": 28}
    processor = LlavaProcessor(
        CLIPImageProcessorPil(size=size, crop_size=size),
        tokenizer(),
        patch_size=14,
        vision_feature_select_strategy="full",
        chat_template=None if template is None else template.replace("IMAGE", IMAGE),
        image_token=IMAGE,
        num_additional_image_tokens=1,
    )
    return _saved(LlavaForConditionalGeneration, config, processor, folder)


def save_blip(folder: Path) -> Path:
    """A captioner whose questions have no chat template."""
    text = {k: v for k, v in _TEXT.items() if k not in ("num_key_value_heads", "eos_token_id")}
    config = BlipConfig(
        text_config=text
        | {"sep_token_id": VOCABULARY[END], "encoder_hidden_size": 32, "projection_dim": 16},
        vision_config=_VISION,
        projection_dim=16,
    )
    own = tokenizer()
    ends = [(token, VOCABULARY[token]) for token in (START, END)]
    own.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=ends
    )
    processor = BlipProcessor(BlipImageProcessorPil(size={"height": 28, "width": 28}), own)
    return _saved(BlipForConditionalGeneration, config, processor, folder)


def save_encoder_decoder(folder: Path) -> Path:
    """An encoder of images and a decoder of texts, which reads no question."""
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(**_VISION),
        GPT2Config(
            vocab_size=len(VOCABULARY),
            n_embd=32,
            n_layer=2,
            n_head=2,
            n_positions=64,
            initializer_range=0.3,
            tie_word_embeddings=False,
        ),
    )
    config.decoder_start_token_id = VOCABULARY[START]
    config.eos_token_id, config.pad_token_id = VOCABULARY[END], VOCABULARY[PAD]
    ViTImageProcessorPil(size={"height": 28, "width": 28}).save_pretrained(folder)
    return _saved(VisionEncoderDecoderModel, config, tokenizer(), folder)


def save_causal(folder: Path, template: str | None = TEMPLATE) -> Path:
    """A language model that reads texts alone."""
    return _saved(GraniteForCausalLM, GraniteConfig(**_TEXT), tokenizer(template), folder)


def _saved(kind: Any, config: Any, processor: Any, folder: Path) -> Path:
    """A model that writes nothing but answers, saved with its processor."""
    torch.manual_seed(3)
    model = kind(config).eval()
    head = model.get_output_embeddings()
    if head is None:  # of BLIP, whose decoder has it
        head = model.text_decoder.cls.predictions.decoder
    with torch.no_grad():
        first = VOCABULARY[ANSWERS[0]]
        head.weight[:first] = 0.0
        head.weight[first:] = torch.randn_like(head.weight[first:])
        head.weight[VOCABULARY[END]] = torch.randn_like(head.weight[first]) / 2
        if head.bias is not None:
            head.bias[:] = 0.0
    if model.generation_config is not None:
        model.generation_config.pad_token_id = VOCABULARY[PAD]
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def made_picture(number: int, size: tuple[int, int] | None = None) -> bytes:
    """A PNG file of coloured noise, of a size that follows from the number."""
    draw = random.Random(number)
    width, height = size or (draw.randrange(20, 160), draw.randrange(20, 120))
    colours = bytes(draw.choices(range(256), k=3 * 16))
    image = Image.frombytes("RGB", (4, 4), colours).resize((width, height))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
