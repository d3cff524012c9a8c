"""From a WARC file with pages and images to selected pairs, and to those of another threshold."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.config import SelectPairsConfig
from jobs.image_text.pair_selection_facts import pair_funnel
from jobs.pairs import select_pairs
from jobs.run.commits import Balance
from jobs.run.request import OF_PAIRS
from jobs.run.store import Store
from tests.builders.images import image_bytes
from tests.builders.warc_files import http_response, record
from tests.jobs.conftest import LOCAL_CONFIG
from udfs.images.measure import ImageFacts, measure_image
from udfs.images.phash import phash_text

PROSE = "老桥横在河上，桥面的石板被磨得发亮，两岸的人每天从这里走过，去对岸的集市买菜。" * 8
BRIDGE, FAIR = image_bytes("png", 320, 240, 1), image_bytes("jpeg", 300, 300, 2)
PAGES = {
    "http://a.cn/1": """<title>老桥</title><p>{}</p><img src=/bridge.png alt="雨中的老桥和行人">
        <img src=/away.jpg alt="没有抓到的那张照片"><img src=/cut.png alt="只有一半的那张照片">
        <img src=/fair.jpg alt="点击图片查看幻灯模式"><p>{}</p>""",
    "http://a.cn/2": """<title>老桥</title><p>{}，又一天</p>
        <img src=/bridge.png alt="雨中的老桥和行人"><img src=/fair.jpg alt="集市上的菜摊">
        <p>{}</p>""",
    "http://a.cn/3": """<title>别处</title><p>{}，别处</p><img src=/away.jpg alt="别处的一张照片">
        <p>{}</p>""",
}
IMAGES = {"bridge.png": BRIDGE, "fair.jpg": FAIR, "cut.png": BRIDGE[: len(BRIDGE) // 2]}
SETTINGS = (
    *("extract.pairs=true", "rules.max_dup_13gram_share=off", 'dedup.levels=["url"]'),
    *("select.min_quality=off", "select.where=title <> '别处'"),
    *("pair_rules.pack=off", "pair_rules.reject_interface_words=true"),
)


def select(output: Path, *arguments: str) -> int:
    return select_pairs.main(["--config", str(LOCAL_CONFIG), "--output", str(output), *arguments])


def warc_of(path: Path) -> Path:
    records = [
        record(http_response(body.format(PROSE, PROSE).encode()), uri=uri)
        for uri, body in PAGES.items()
    ]
    for name, body in IMAGES.items():
        kind = ("Content-Type", "image/jpeg" if name.endswith("jpg") else "image/png")
        records.append(record(http_response(body, kind), uri=f"http://a.cn/{name}"))
    path.write_bytes(b"".join(records))
    return path


def test_a_funnel_puts_reasons_into_the_steps_that_remove_pairs() -> None:
    rejected = {"page_not_in_corpus": 10, "few_han": 4, "no_image": 3, "truncated": 2, "where": 1}
    balance = Balance(50, 20, rejected | {"near_picture": 6, "over_budget": 4})
    settings = SelectPairsConfig(levels=("near_images",), where="true", budget="20 pairs")
    funnel = pair_funnel(balance, ("few_han", "kana"), settings)
    assert [(step["step"], step["pairs"]) for step in funnel] == [
        *(("image_places", 50), ("pages", 40), ("rules", 36), ("images", 31), ("where", 30)),
        *(("near_images", 24), ("budget", 20)),
    ]


@pytest.mark.slow
def test_pairs_are_selected_and_another_threshold_measures_nothing(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, warc = tmp_path / "out", warc_of(tmp_path / "pages.warc")
    wrong = "select_pairs.where=no_column > 1"
    assert select(output, "--input", str(warc), "--set", *SETTINGS, wrong) == 2
    assert "select_pairs.where = 'no_column > 1'" in (e := capsys.readouterr().err), e
    assert select(output, "--input", str(warc), "--set", *SETTINGS) == 0

    def pages_of(table: str) -> list[tuple[str, str]]:
        rows = spark.read.parquet(str(output / table)).collect()
        return sorted((row.page_url[-1], row.url.rpartition("/")[2]) for row in rows)

    assert pages_of("selected_pairs") == [("1", "away.jpg"), ("1", "bridge.png"), ("2", "fair.jpg")]
    rejected = spark.read.parquet(str(output / "rejected_pairs")).collect()
    assert {(row.page_url[-1], row.url.rpartition("/")[2]): row.reasons for row in rejected} == {
        ("1", "cut.png"): ["truncated"],
        ("1", "fair.jpg"): ["interface_words"],
        ("2", "bridge.png"): ["repeated_pair"],
        ("3", "away.jpg"): ["page_not_in_corpus"],
    }
    wanted = spark.read.parquet(str(output / "fetch_list")).collect()
    assert [(row.url, row.caption) for row in wanted] == [
        ("http://a.cn/away.jpg", "没有抓到的那张照片")
    ]
    bridge = spark.read.parquet(str(output / "selected_pairs")).where("url like '%bridge%'").first()
    assert bridge is not None and bridge.image.width == 320
    assert (bridge.text_places, bridge.url_places) == (2, 2)
    assert bridge.page.title == "老桥" and bridge.more.nouns > 0

    store = Store.at(str(output))
    [commit] = store.commits("select_pairs").values()
    assert (commit.rows, commit.kept, sum(commit.rejected.values())) == (7, 3, 4)
    facts = OF_PAIRS.read_facts(store, None)
    assert [step["pairs"] for step in facts["funnel"]] == [7, 6, 5, 4, 3, 3]
    assert facts["tables"]["with_image"] == 2

    before = {stage: store.commits(stage) for stage in store.stages() if stage != "select_pairs"}
    capsys.readouterr()
    known = tmp_path / "benchmark.txt"
    known.write_text("no hash\n", encoding="utf-8")
    more = ["select_pairs.images=required", f"select_pairs.benchmarks=[{str(known)!r}]"]
    assert select(output, "--set", *more, "--plan") == 2
    assert "benchmark.txt, line 1: 'no hash' is no hash" in capsys.readouterr().err
    facts_of_fair = measure_image(FAIR)
    assert isinstance(facts_of_fair, ImageFacts)
    known.write_text(phash_text(facts_of_fair.phash), encoding="utf-8")
    assert select(output, "--set", *more, "--plan") == 0
    assert 'select_pairs.images is "required", was "optional"' in capsys.readouterr().out
    assert select(output, "--set", *more) == 0
    assert pages_of("selected_pairs") == [("1", "bridge.png")]
    assert facts_reasons(store) == {
        **{"benchmark_image": 2, "interface_words": 1, "no_image": 2, "page_not_in_corpus": 1},
        **{"repeated_pair": 1, "truncated": 1},
    }
    assert before == {stage: store.commits(stage) for stage in before}
    assert not (output / "_scratch").exists()


def facts_reasons(store: Store) -> dict[str, int]:
    reasons: dict[str, int] = OF_PAIRS.read_facts(store, None)["reasons"]
    return reasons
