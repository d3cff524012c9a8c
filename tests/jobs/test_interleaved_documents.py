"""Interleaved documents of a small crawl: the corpus's text, with the images of its pages."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.config.exit_status import ExitStatus
from jobs.image_text import interleaving
from jobs.pairs import interleave_documents
from jobs.run.store import Store
from tests.builders.warc_files import written_by_warcio
from tests.jobs.conftest import LOCAL_CONFIG

pytestmark = pytest.mark.slow  # a whole pipeline

PHONE = "13812345678"
FIRST = "老桥横在河上，桥面的石板被磨得发亮，两岸的人每天从这里走过，去对岸的集市买菜，傍晚回家。"
SECOND = f"修桥的人叫张立，今年六十一岁，想看桥的人打他的电话{PHONE}，他会在桥头等着。"
SHARED = "本站的文章由各地读者寄来，写的是身边的河流、道路和房屋，欢迎更多的人寄给编辑。"
THIRD = "到了夏天，孩子们在桥下的浅水里捉鱼，老人坐在桥栏边乘凉，说起几十年前的大水，桥没有被冲走。"
FOURTH = "今年春天，工匠把松动的石块一块块取出来，洗净以后再放回去，用的是从前的石灰和糯米浆。"
TOWER = [
    "山上的塔有七层，每层八个角，角上挂着铜铃，风大的时候全城都听得见铃声，外地人以为是庙里在做法事。",
    "塔的门平时锁着，钥匙由守塔的老人保管，每年秋天开放三天，人们排着队上去，看远处的江和新修的铁路。",
    "去年测量的人带着仪器来过，说塔身向东偏了二十多厘米，但是三十年里没有再动，暂时用不着加固地基。",
]
WELL = [
    "村口的井有一百多年了，井沿的石头上有绳子磨出的深沟，现在家家有自来水，只有浇菜的人还来打井水。",
    "井水冬天冒着白气，夏天凉得扎手，从前酿酒的作坊就在旁边，酒香从巷子口一直飘到学校的操场上去。",
    "挖井的人从下游的镇上请来，干了四十天，到第三十天才见到水，那天全村的人都来看，还放了鞭炮。",
    "后来地质队在村里打了六个孔，说水层在地下十八米，和井的深度一样，从前的人凭什么知道，没有人说得清。",
]


def page(title: str, *parts: str) -> bytes:
    """An article under a menu with a logo; a part that ends with .jpg is an image."""
    body = "".join(
        f'<p><img src="/{part}" alt="{title}的照片" width=640 height=480></p>'
        if part.endswith(".jpg")
        else f"<p>{part}</p>"
        for part in parts
    )
    menu = '<div class="nav"><a href="/"><img src="/sign.png" alt="本站"></a><a>首页</a></div>'
    head = f"<html><head><title>{title}</title></head>"
    return f"{head}<body>{menu}<article><h1>{title}</h1>{body}</article></body></html>".encode()


PAGES = [
    page(
        *("老桥", FIRST, "a.jpg", SECOND, "b.jpg", SHARED, "c.jpg", THIRD, "b.jpg"),
        *("gate_logo.jpg", FOURTH),
    ),
    # The longest one: it keeps the paragraph that both have.
    page("高塔", *TOWER, SHARED, *TOWER[::-1], SECOND.replace(PHONE, "不方便的话写信来")),
    page("水井", WELL[0], "d.jpg", "e.jpg", WELL[1]),
    page("古井", WELL[2], "e.jpg", "d.jpg", WELL[3]),
]


def interleave(output: Path, *arguments: str) -> int:
    return interleave_documents.main(
        ["--config", str(LOCAL_CONFIG), "--output", str(output), *arguments]
    )


@pytest.fixture(scope="module")
def output(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interleaved")
    (folder / "in.warc.gz").write_bytes(written_by_warcio(PAGES))
    settings = (
        *("extract.pairs=true", "rules.pack=off", "rules.pii_policy=mask", "rules.min_chars=off"),
        *("rules.max_dup_13gram_share=off", "rules.max_sensitive_per_line=off"),
        *('dedup.levels=["url", "exact", "paragraph"]', "select.min_quality=off"),
        'score.scorers=["quality", "domain", "toxicity"]',
    )
    given = ("--input", str(folder / "in.warc.gz"), "--set", *settings)
    assert interleave(folder / "out", *given) == 0
    return folder / "out"


def rows_of(output: Path) -> dict[str, dict[str, Any]]:
    """Title -> row."""
    rows = Store.at(str(output)).rows(
        "interleaved", ["doc_id", "texts", "images", "metadata", "general_metadata"]
    )
    return {row["general_metadata"]["title"]: row for row in rows}


def corpus_texts(output: Path) -> dict[str, str]:
    rows = Store.at(str(output)).rows("corpus", ["doc_id", "text"])
    return {row["doc_id"]: row["text"] for row in rows}


def test_images_lie_where_they_are_in_the_text_of_the_corpus(output: Path) -> None:
    row = rows_of(output)["老桥"]
    masked = SECOND.replace(PHONE, "[PHONE]")
    images = [url and url.rpartition("/")[2] for url in row["images"]]
    # The paragraph between b and c is cut, and b is taken once.
    assert images == [None, "a.jpg", None, "b.jpg", "c.jpg", None]
    texts = [text for text in row["texts"] if text is not None]
    assert texts == [FIRST, masked, f"{THIRD}\n{FOURTH}"]
    assert "\n".join(texts) == corpus_texts(output)[row["doc_id"]]
    assert PHONE not in json.dumps(row, ensure_ascii=False)
    shown = row["metadata"][1]
    assert (shown["alt_text"], shown["declared_width"], shown["width"]) == ("老桥的照片", 640, None)
    assert row["general_metadata"]["document_url"] == "http://example.cn/0"
    assert row["general_metadata"]["quality_score"] is not None
    assert row["general_metadata"]["domain"] is not None


def test_documents_and_images_are_counted_by_reason(output: Path) -> None:
    [commit] = Store.at(str(output)).commits("interleave_documents").values()
    assert (commit.rows, commit.kept) == (4, 2)
    assert commit.rejected == {"equal_image_set": 1, "no_image": 1}
    assert commit.kept == len(rows_of(output))
    facts = json.loads((output / "interleaved.json").read_text())
    assert facts["documents"] == {"seen": 4, "kept": 2, "rejected": commit.rejected}
    assert facts["settings"]["interleave.max_images"] == 30
    assert facts["images"] == {
        "seen": 13,
        "kept": 5,
        "dropped": {
            **{"document_rejected": 2, "outside_main_text": 4},
            **{"repeated_address": 1, "url_word": 1},
        },
    }


def test_other_settings_interleave_again_and_nothing_else(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.at(str(output))
    before = {name: store.commits(name) for name in store.stages()}
    written = (output / "interleaved.json").stat().st_mtime_ns
    assert interleave(output) == 0
    assert (output / "interleaved.json").stat().st_mtime_ns == written
    changed = ("interleave.documents=extracted", "interleave.equal_image_sets=false")
    assert interleave(output, "--set", *changed, "interleave.min_side=500") == ExitStatus.NOTHING
    after = {name: store.commits(name) for name in store.stages()}
    assert {name for name in after if after[name] != before[name]} == {"interleave_documents"}
    facts = json.loads((output / "interleaved.json").read_text())
    assert facts["documents"]["rejected"] == {"no_image": 4}
    assert Counter(facts["images"]["dropped"])["size"] == 8
    # As where two waves read parts of a file, whose documents say which one they are of.
    monkeypatch.setattr(interleaving, "kept_of", lambda *_: None)
    assert interleave(output, "--set", "interleave.min_side=480") == 0
    [commit] = store.commits("interleave_documents").values()
    assert (commit.rows, commit.kept, commit.rejected) == (4, 3, {"no_image": 1})
    texts = corpus_texts(output)
    rows = rows_of(output)
    assert set(rows) == {"老桥", "水井", "古井"}
    assert interleave(output, "--set", "interleave.documents=corpus") == 0
    [commit] = store.commits("interleave_documents").values()
    assert (commit.rows, commit.kept, commit.rejected) == (4, 3, {"no_image": 1})
    for row in rows.values():
        joined = "\n".join(text for text in row["texts"] if text is not None)
        assert joined == texts[row["doc_id"]]
