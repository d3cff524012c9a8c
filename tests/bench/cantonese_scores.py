"""Whether the Chinese scorers of quality and toxicity hold for Cantonese.

    python -m tests.bench.cantonese_scores --data DIR

Quality: the share of clean documents from 0.5 on, and the AUC of clean documents against the same
ones with the characters of each line shuffled, against the same ones between lines of a menu, and
against crawl pages labelled useless. Toxicity: the share of documents that are called toxic, of
lines labelled toxic in simplified script and converted to traditional script, and of own sentences.
Mandarin in traditional script (drcd) is beside all. Each text is scored as it is, and converted to
simplified script. DIR is laid out as the README of the data says.
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import random
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import opencc
import pandas as pd

from jobs.training.common.metrics import area_under_roc
from tests.bench.score_rates import Bundle, bundles
from tests.bench.timing import table
from udfs.base.array_types import Float64Array
from udfs.repair.script_conversion import simplify_texts
from udfs.scorers.scoring import score_texts

MOST, BATCH = 1_000, 500
LINES = {"ctcpc": 16, "hkcancor": 24, "lihkg": 1, "drcd": 1}
"""Source -> rows of a document."""
LEAST_CHARS = 100
MENU = (
    *("首頁", "關於我們", "聯絡我們", "最新消息", "產品分類", "會員登入", "購物車", "使用條款"),
    *("私隱政策", "熱門文章", "相關連結", "網站地圖", "更多", "下一頁", "上一頁", "分享到"),
    *("返回頂部", "版權所有", "客戶服務", "常見問題"),
)
INSULTS = (
    "你個死八婆，成日阻住晒，收皮啦", "仆街仔，我見你一次打你一次", "死肥婆，咁樣衰仲出街嚇人",
    "啲姣婆成日着到咁姣，抵死畀人蝦", "你條友腦殘㗎，智障都叻過你", "戇鳩，食屎啦，正一垃圾",
    "你個賤人，勾人老公，祝你成世孤獨死", "廢老快啲死啦，霸住個位唔讓人", "醜樣過鬼，返去死啦你",
    "正宗低能，講嘢冇腦，畀人打死都抵",
)  # fmt: skip
NEUTRAL = (
    "尋日同阿媽去街市買餸，佢話啲菜貴咗好多", "個仔考試考得唔錯，請佢食雪糕", "落雨喎，記得帶遮呀",
    "呢間茶餐廳嘅奶茶好正，下次再嚟", "我部電話跌咗落水，唔知仲開唔開到",
    "老闆話下個月加人工，大家都好開心",
    "巴士成日遲到，等到我頸都長埋", "琴晚場波好精彩，最後一分鐘先入到", "畀啲耐性啦，慢慢學就會",
    "間屋好細但係好舒服",
)  # fmt: skip
"""Own sentences."""


def documents_of(data: Path, source: str) -> list[str]:
    """Documents of a source, at most MOST."""
    path = data / "languages" / "chinese_varieties" / f"{source}.jsonl.xz"
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    size = LINES[source]
    joined = ["\n".join(texts[at : at + size]) for at in range(0, len(texts) - size + 1, size)]
    return [text for text in joined if len(text) >= LEAST_CHARS][:MOST]


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def scores_of(bundle: Bundle, texts: Sequence[str], field: str) -> Float64Array:
    """A field of the scorer's record of each text."""
    found: list[float] = []
    for at in range(0, len(texts), BATCH):
        part = pd.Series(list(texts[at : at + BATCH]))
        records = score_texts(part, [bundle.scorer], [bundle.model])[bundle.scorer.name]
        found += [float(record[field]) for record in records]
    return np.array(found)


def simplified(texts: Sequence[str]) -> list[str]:
    """Texts in simplified script."""
    converted = zip(texts, simplify_texts(texts), strict=True)
    return [text if edited is None else edited.text for text, edited in converted]


def shuffled(text: str, drawn: random.Random) -> str:
    """A text with the characters of each line in another order."""
    return "\n".join("".join(drawn.sample(line, len(line))) for line in text.split("\n"))


def between_menus(text: str, drawn: random.Random) -> str:
    """The beginnings of a text's lines between lines of a menu."""
    return "\n".join(f"{' '.join(drawn.sample(MENU, 5))}\n{line[:8]}" for line in text.split("\n"))


def auc(clean: Float64Array, noisy: Float64Array) -> str:
    """How often a clean document is above a noisy one."""
    truth = np.arange(len(clean) + len(noisy)) < len(clean)
    return f"{area_under_roc(truth, np.concatenate([clean, noisy])):.3f}"


def print_quality(bundle: Bundle, data: Path) -> None:
    """Print the first table."""
    to_traditional = opencc.OpenCC("s2hk").convert
    rows = rows_of(data / "quality" / "hplt_web_labelled.jsonl.gz")
    useless = [to_traditional(row["text"]) for row in rows if row["quality"] == 0]
    noises: tuple[Callable[[str, random.Random], str], ...] = (shuffled, between_menus)
    table_rows = []
    for source in LINES:
        documents = documents_of(data, source)
        for name, form in (("as it is", list), ("simplified", simplified)):
            score = partial(scores_of, bundle, field="score")
            clean = score(form(documents))
            noisy = [
                [noise(text, random.Random(at)) for at, text in enumerate(documents)]
                for noise in noises
            ]
            figures = [auc(clean, score(form(texts))) for texts in (*noisy, useless)]
            share = f"{np.mean(clean >= 0.5):.2f}"
            table_rows.append([source, str(len(documents)), name, share, *figures])
    heads = ["source", "documents", "script", "from 0.5 on"]
    print(table([*heads, "shuffled", "between menus", f"{len(useless)} useless pages"], table_rows))


def print_toxicity(bundle: Bundle, data: Path) -> None:
    """Print the second table."""
    to_traditional = opencc.OpenCC("s2hk").convert
    lines = rows_of(data / "toxicity" / "lines.jsonl.gz")
    drawn = random.Random(2).sample(lines, len(lines))
    groups = {source: documents_of(data, source) for source in LINES}
    for label, name in ((1, "toxic"), (0, "plain")):
        texts = [row["text"] for row in drawn if row["label"] == label][:MOST]
        groups[f"lines labelled {name}, simplified script"] = texts
        groups[f"lines labelled {name}, converted"] = list(map(to_traditional, texts))
    groups |= {"own insults": list(INSULTS), "own plain sentences": list(NEUTRAL)}
    rows = []
    for name, texts in groups.items():
        called = [scores_of(bundle, form(texts), "label") for form in (list, simplified)]
        rows.append([name, str(len(texts)), *(f"{share.mean():.3f}" for share in called)])
    print(table(["texts", "number", "called toxic", "called toxic, simplified"], rows))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = bundles(Path(folder))
        print_quality(made["quality"], arguments.data)
        print()
        print_toxicity(made["toxicity"], arguments.data)


if __name__ == "__main__":
    main()
