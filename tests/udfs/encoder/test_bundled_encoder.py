"""The bundled encoder: its file is what catalogue and card say, and it tells prose from junk."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from udfs.encoder.encoder_file import read_encoder_header
from udfs.encoder.quality_bert import DocumentScorer, QualityBertSettings, score_documents
from udfs.files.artifacts import sha256_of

CONF = Path(__file__).resolve().parents[3] / "conf"
FOLDER = CONF / "artifacts" / "quality_bert"
FILE = FOLDER / "quality_bert.safetensors"

PROSE = (
    "清晨的公园里，老人们在湖边慢慢地散步，孩子们追着一只风筝跑来跑去。卖早点的摊子前排起了队，"
    "热气从蒸笼里冒出来，把半条街都熏得暖洋洋的。我买了两个包子，坐在长椅上看着他们，想起了小时候"
    "和祖父一起来这里钓鱼的日子。那时候湖还没有围栏，水也比现在清得多，祖父总是说，钓鱼要的是耐心。\n"
    "后来我离开了这座城市，去了很远的地方读书和工作，很多年都没有回来。如今再走在这条路上，树已经"
    "长得很高，熟悉的店铺也换了招牌，只有湖面上的风还和从前一样。我想，一个地方之所以让人记住，"
    "大概并不是因为它有多美，而是因为在那里度过的时间，再也不会回来了。\n"
)
SPAM = "\n".join(
    f"{name}娱乐平台 注册送{number}元 {name}彩票开户 官方网站 手机app下载 {name}棋牌 提现秒到账"
    for number, name in enumerate(["博彩", "皇冠", "金沙", "银河", "新葡京"] * 8, 18)
)


def test_its_file_is_what_catalogue_and_card_say() -> None:
    entry = tomllib.loads((CONF / "artifacts.toml").read_text(encoding="utf-8"))["quality_bert"][
        "2"
    ]
    metrics = json.loads((FOLDER / "metrics.json").read_text(encoding="utf-8"))
    assert entry["sha256"] == metrics["model"]["sha256"] == sha256_of(FILE)
    assert entry["size"] == FILE.stat().st_size <= 32_000_000
    assert entry["sha256"] in (FOLDER / "CARD.md").read_text(encoding="utf-8")
    header = read_encoder_header(FILE)
    assert (header.settings.head, header.config["num_hidden_layers"]) == ("multi-scale", 7)


@pytest.mark.bert
def test_it_tells_prose_from_junk() -> None:
    pytest.importorskip("torch", reason='not installed: pip install "taojin[bert]"')
    scorer = DocumentScorer(FILE, QualityBertSettings(device="cpu"))
    prose, spam, both = score_documents([PROSE * 2, SPAM, PROSE * 3 + SPAM * 2], scorer)
    assert prose["score"] > 0.7 > 0.1 > spam["score"]
    segments = both["segments"]
    assert len(segments) > 2
    assert segments[0]["score"] > segments[-1]["score"]
