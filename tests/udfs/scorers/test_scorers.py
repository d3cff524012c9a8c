"""The three scorers and the one pass that runs them together."""

import hashlib
import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import fasttext
import numpy as np
import pandas as pd
import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StructField, StructType

from udfs.files.artifacts import ArtifactFile, sha256_of
from udfs.models.fasttext_model import FastTextModel, load_fasttext
from udfs.scorers import domain, quality, toxicity
from udfs.scorers.scorer import Documents, Record, Scorer, with_odds
from udfs.scorers.scoring import score_texts, scoring_udf
from udfs.tokens.tokenizer import TokenizerSettings, tokenize_texts
from udfs.tokens.tokens import Tokens, tokens_of_lines

ARTIFACTS = Path(__file__).parents[3] / "conf" / "artifacts"
SCORERS = ("quality", "domain", "toxicity")

ARTICLE = (
    "本报讯 昨日，市水利局公布了今年上半年的水质监测报告。报告指出，全市二十三个监测断面中，"
    "水质达到三类以上标准的占九成，比去年同期提高了四个百分点。水利局总工程师介绍，水质改善主要"
    "得益于沿河污水管网的改造工程，这项工程从三年前开始，已经铺设管道一百二十公里，沿岸四十多个"
    "村庄的生活污水得到了集中处理。记者在现场看到，河岸两侧新种的芦苇已经长到一人多高，附近居民"
    "傍晚常来散步。不过报告也提醒，下游两处断面的总磷指标仍然偏高，原因是部分养殖场尚未完成搬迁，"
    "预计年底之前全部结束。专家建议，在继续治理点源污染的同时，还应当控制农田化肥的使用量。"
)
SPAM = (
    "澳门赌场网上娱乐 真人百家乐开户送彩金 时时彩平台注册 六合彩开奖结果 老虎机投注 棋牌游戏下载 "
    "博彩公司最新优惠 首存送百分百 百家乐娱乐城 北京赛车投注网站 香港马会资料 网上赌博 "
    "赌球网站 皇冠现金网 体育投注平台 提款快速 葡京娱乐场 在线客服 "
) * 4


class FixedModel:
    """Stands for a model: labels, and a row of probabilities for every line."""

    def __init__(self, rows: dict[str, dict[str, float]]) -> None:
        self.labels = tuple(sorted(next(iter(rows.values()))))
        self.rows = rows

    def column(self, label: str) -> int:
        return self.labels.index(label)

    def probabilities(self, lines: Sequence[str]) -> Any:
        return np.array([[self.rows[line][label] for label in self.labels] for line in lines])

    def span_probabilities(self, tokens: Tokens, spans: Any) -> Any:
        return self.probabilities(tokens.part_lines(spans))


def fixed(rows: dict[str, dict[str, float]]) -> FastTextModel:
    return cast(FastTextModel, FixedModel(rows))


def probabilities(record: Record) -> dict[str, float]:
    """Label -> probability of a record of the domain scorer."""
    return {of["label"]: of["probability"] for of in record["probabilities"]}


def no_url() -> Column:
    return F.lit(None).cast("string")


def test_quality_is_the_probability_of_clean() -> None:
    model = fixed({"一": {"clean": 0.8, "dirty": 0.2}, "": {"clean": 0.6, "dirty": 0.4}})
    assert quality.score_quality(["一", ""], model) == [{"score": 0.8}, {"score": 0.0}]


def test_toxicity_label_starts_at_its_limit() -> None:
    rows = {
        "高": {"benign": 0.01, "toxic": 0.99},
        "低": {"benign": 0.02, "toxic": 0.98},
        "": {"benign": 0.0, "toxic": 1.0},
    }
    tokens = tokens_of_lines(["高", "低", ""])
    records = toxicity.score_toxicity(tokens, fixed(rows))
    assert [(r["label"], r["score"]) for r in records] == [(1, 0.99), (0, 0.98), (0, 0.0)]
    assert [(r["worst_start"], r["worst_length"]) for r in records] == [(0, 1)] * 2 + [(None,) * 2]
    lower = toxicity.ToxicityRules(0.98)
    assert [r["label"] for r in toxicity.score_toxicity(tokens, fixed(rows), lower)] == [1, 1, 0]


def test_domain_labels_are_ranked_and_never_missing() -> None:
    rows = {
        "多": {"finance": 0.9, "law": 0.3, "news": 0.95, "general": 0.29},
        "平": {"finance": 0.4, "law": 0.4, "news": 0.1, "general": 0.4},
        "无": {"finance": 0.02, "law": 0.01, "news": 0.05, "general": 0.03},
    }
    several, level, unsure = domain.score_domains(["多", "平", "无"], fixed(rows))
    assert several["single_label"] == "news"
    assert several["multi_label"] == ["news", "finance", "law"]
    assert probabilities(several) == rows["多"]
    assert level["multi_label"] == ["finance", "general", "law"]
    assert unsure["single_label"] == "news"
    assert unsure["multi_label"] == ["news"]


@pytest.fixture(scope="module")
def hosts(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> domain.HostRules:
    path = tmp_path_factory.mktemp("hosts") / "hosts-of-domains.tsv"
    path.write_text("law\tcourt.example\nnews\tmed.court.example\nlaw\t=law\nsport\tball.example\n")
    spark.sparkContext.addFile(str(path))
    return domain.HostRules(artifact(path), weight=np.log(3))


def test_the_label_of_a_host_is_likelier(hosts: domain.HostRules) -> None:
    before = {"law": 0.5, "news": 0.6, "finance": 0.1}
    urls = [
        None, "https://www.court.example/a", "http://med.court.example/", "law.example:80/x",
        "https://x.example/law/", "https://ball.example/",
    ]  # fmt: skip
    model = fixed({"一": before, "": before})
    records = domain.score_domains(["一"] * len(urls), model)
    revised = domain.with_hosts(records, Documents([""] * len(urls), urls), hosts)
    tops = [record["single_label"] for record in revised]
    assert tops == ["news", "law", "news", "law", "news", "news"]
    assert [probabilities(record)["law"] for record in revised] == pytest.approx(
        [0.5, 0.75, 0.5, 0.75, 0.5, 0.5]
    )
    assert revised[1]["multi_label"] == ["law", "news"]
    assert probabilities(revised[2])["news"] == pytest.approx(0.6 * 3 / (0.6 * 3 + 0.4))
    assert (revised[0], revised[4], revised[5]) == (records[0], records[4], records[5])
    nothing = domain.score_domains([""], model)
    assert domain.with_hosts(nothing, Documents([""], ["https://court.example/"]), hosts) == nothing


def test_domain_of_nothing_is_general() -> None:
    row = {"general": 0.1, "news": 0.9}
    assert domain.score_domains([""], fixed({"": row})) == [
        {
            "single_label": "general",
            "multi_label": ["general"],
            "probabilities": [
                {"label": "general", "probability": 0.0},
                {"label": "news", "probability": 0.0},
            ],
        }
    ]


def test_the_label_that_counts_may_go_by_another_name() -> None:
    model = fixed({"一": {"0": 0.3, "1": 0.7}})
    assert quality.score_quality(["一"], model, "1") == [{"score": 0.7}]
    rules = toxicity.ToxicityRules(0.5, "1")
    (record,) = toxicity.score_toxicity(tokens_of_lines(["一"]), model, rules)
    assert (record["label"], record["score"]) == (1, 0.7)


def test_domain_labels_may_go_by_other_names_and_have_limits_of_their_own() -> None:
    rows = {"一": {"体育": 0.2, "新闻": 0.5, "法律": 0.45, "news": 0.6}, "": {"体育": 1.0}}
    rules = domain.LabelRules(
        0.3, {"law": 0.46, "sport": 0.2}, {"体育": "sport", "新闻": "news", "法律": "law"}, "sport"
    )
    (record,) = domain.score_domains(["一"], fixed(rows), rules)
    assert probabilities(record) == {"sport": 0.2, "news": 0.6, "law": 0.45}
    assert record["multi_label"] == ["news", "sport"]
    (nothing,) = domain.score_domains([""], fixed({"": rows["一"]}), rules)
    assert nothing["multi_label"] == ["sport"]
    assert probabilities(nothing) == {"sport": 0.0, "news": 0.0, "law": 0.0}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny models of all three scorers."""
    folder = tmp_path_factory.mktemp("tiny")
    text = folder / "lines.txt"
    lessons = {
        "quality": ("softmax", {"clean": "研究 历史 报告", "dirty": "点击 登录 首页"}),
        "domain": ("ova", {"law": "法院 判决", "news": "记者 报道", "general": "天气 散步"}),
        "toxicity": ("softmax", {"toxic": "赌场 开户", "benign": "研究 历史 天气"}),
    }
    paths = {}
    for name, (loss, words) in lessons.items():
        text.write_text(
            "".join(f"__label__{label} {line}\n" * 50 for label, line in words.items()),
            encoding="utf-8",
        )
        model = fasttext.train_supervised(
            input=str(text), loss=loss, epoch=20, dim=8, bucket=500, wordNgrams=2, thread=1,
            seed=1, verbose=0,
        )  # fmt: skip
        paths[name] = folder / f"tiny-{name}.bin"
        model.save_model(str(paths[name]))
    return paths


def artifact(path: Path) -> ArtifactFile:
    return ArtifactFile(path.name, "test", path.name, sha256_of(path))


def scorers_over(paths: dict[str, Path]) -> list[Scorer]:
    return [
        quality.quality_scorer(artifact(paths["quality"])),
        domain.domain_scorer(artifact(paths["domain"])),
        toxicity.toxicity_scorer(artifact(paths["toxicity"]), toxicity.ToxicityRules(0.9)),
    ]


TEXTS = ["法院作出判决", None, "记者报道：赌场开户", "", "研究历史", "点击登录首页", "研究历史"]


def test_one_pass_gives_a_record_a_scorer_and_none_for_no_text(tiny: dict[str, Path]) -> None:
    scorers = scorers_over(tiny)
    models = [load_fasttext(tiny[name]) for name in SCORERS]
    frame = score_texts(pd.Series(TEXTS, index=range(10, 17)), scorers, models)
    assert list(frame.columns) == list(SCORERS)
    assert list(frame.index) == list(range(10, 17))
    assert frame.loc[11].isna().all()
    assert frame.drop(index=11).notna().all(axis=None)
    assert frame.loc[10, "domain"]["single_label"] == "law"
    assert frame.loc[12, "toxicity"]["label"] == 1
    assert frame.loc[14, "quality"]["score"] > frame.loc[15, "quality"]["score"]
    assert frame.loc[14].tolist() == frame.loc[16].tolist()


def test_a_score_does_not_depend_on_the_batch(tiny: dict[str, Path]) -> None:
    scorers = scorers_over(tiny)
    models = [load_fasttext(tiny[name]) for name in SCORERS]
    whole = score_texts(pd.Series(TEXTS), scorers, models)
    parts = [score_texts(pd.Series([text]), scorers, models) for text in TEXTS]
    assert pd.concat(parts, ignore_index=True).to_dict("list") == whole.to_dict("list")


def test_every_scorer_reads_the_texts_in_its_own_way(tiny: dict[str, Path]) -> None:
    text = "研究研究赌场研究开户"
    models = [load_fasttext(tiny["toxicity"])] * 2
    whole = toxicity.toxicity_scorer(artifact(tiny["toxicity"]), toxicity.ToxicityRules(0.9))
    start = replace(whole, name="start", tokenizer=TokenizerSettings(max_chars=4))
    frame = score_texts(pd.Series([text, None]), [whole, start], models)
    assert frame.loc[0, "start"]["score"] < 0.5 < frame.loc[0, "toxicity"]["score"]
    assert frame.loc[1].isna().all()


def vowels_of(path: Path) -> frozenset[str]:
    """A model that is no fastText model: a file of letters."""
    return frozenset(path.read_text(encoding="utf-8"))


def vowel_shares(texts: Sequence[str], model: frozenset[str]) -> list[dict[str, Any]]:
    return [{"share": sum(c in model for c in text) / max(1, len(text))} for text in texts]


def test_a_scorer_may_read_the_texts_themselves_with_a_model_of_its_own(
    spark: SparkSession, tiny: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "vowels.txt"
    path.write_text("aeiou", encoding="utf-8")
    for file in (path, tiny["quality"]):
        spark.sparkContext.addFile(str(file))
    result = StructType([StructField("share", DoubleType())])
    vowels = Scorer("vowels", artifact(path), result, vowel_shares, None, vowels_of)
    scorers = [vowels, quality.quality_scorer(artifact(tiny["quality"]))]
    frame = spark.createDataFrame([(0, "abe\r\n\t e"), (1, None), (2, "")], "id int, text string")
    scored = frame.withColumn("scores", scoring_udf(scorers)("text", no_url()))
    rows = {row.id: row.scores for row in scored.collect()}
    assert rows[0].vowels.share == 3 / 8
    assert rows[1].vowels is None and rows[1].quality is None
    assert rows[0].quality.score > rows[2].quality.score == rows[2].vowels.share == 0.0


def test_batches_of_nothing(tiny: dict[str, Path]) -> None:
    scorers = scorers_over(tiny)
    models = [load_fasttext(tiny[name]) for name in SCORERS]
    assert score_texts(pd.Series([], dtype=object), scorers, models).shape == (0, 3)
    assert score_texts(pd.Series([None, None]), scorers, models).isna().all(axis=None)


def test_a_scorer_pickles_small(tiny: dict[str, Path]) -> None:
    for scorer in scorers_over(tiny):
        content = pickle.dumps(scorer)
        assert len(content) < 2000
        assert pickle.loads(content).name == scorer.name


def test_the_udf_scores_a_column(spark: SparkSession, tiny: dict[str, Path]) -> None:
    for path in tiny.values():
        spark.sparkContext.addFile(str(path))
    scorers = scorers_over(tiny)
    frame = spark.createDataFrame(list(enumerate(TEXTS)), "doc_id int, text string")
    scored = frame.withColumn("scores", scoring_udf(scorers)("text", no_url()))
    assert scored.schema["scores"].dataType == StructType(
        [StructField(scorer.name, scorer.result_type) for scorer in scorers]
    )
    rows = {row.doc_id: row.scores for row in scored.repartition(3).collect()}
    assert rows[1].quality is None and rows[1].domain is None and rows[1].toxicity is None
    models = [load_fasttext(tiny[name]) for name in SCORERS]
    expected = score_texts(pd.Series(TEXTS), scorers, models)
    for doc_id in (0, 2, 3, 4, 5, 6):
        assert rows[doc_id].asDict(recursive=True) == expected.loc[doc_id].to_dict()


def test_the_udf_knows_the_addresses_of_documents(
    spark: SparkSession, tiny: dict[str, Path], hosts: domain.HostRules
) -> None:
    spark.sparkContext.addFile(str(tiny["domain"]))
    scorer = domain.domain_scorer(artifact(tiny["domain"]), hosts=hosts)
    urls = [None, "https://court.example/1", "https://med.court.example/", "https://other.example/"]
    rows = [(number, "研究历史" if number else None, url) for number, url in enumerate(urls * 3)]
    frame = spark.createDataFrame(rows, "doc_id int, text string, url string").repartition(3)
    scored = frame.withColumn("scores", scoring_udf([scorer])("text", "url")).collect()
    law = {
        row.doc_id: row.scores.domain and dict(row.scores.domain.probabilities)["law"]
        for row in scored
    }
    plain = law[4]
    assert law[0] is None
    assert [law[number] for number in (3, 6, 7, 8)] == [plain] * 4
    assert law[1] == law[5] == law[9] == pytest.approx(with_odds(plain, np.log(3)))
    assert law[1] > plain


def test_a_filter_on_scores_does_not_run_the_models_twice(
    spark: SparkSession, tiny: dict[str, Path]
) -> None:
    frame = spark.createDataFrame([("法院",)], "text string")
    scored = frame.withColumn("s", scoring_udf(scorers_over(tiny))("text", no_url()))
    chosen = scored.where(F.col("s.quality.score") >= 0.5).select("s.quality.score")
    plan = chosen._jdf.queryExecution().executedPlan().toString()
    assert plan.count("ArrowEvalPython") == 1


@pytest.mark.parametrize("name", SCORERS)
def test_a_committed_artifact_is_what_its_card_says(name: str) -> None:
    metrics = json.loads((ARTIFACTS / name / "metrics.json").read_text(encoding="utf-8"))
    content = (ARTIFACTS / name / metrics["model"]["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == metrics["model"]["sha256"]
    assert len(content) == metrics["model"]["bytes"] < 4_000_000
    assert metrics["model"]["sha256"] in (ARTIFACTS / name / "CARD.md").read_text(encoding="utf-8")
    model = load_fasttext(ARTIFACTS / name / metrics["model"]["file"])
    assert list(model.labels) == metrics["model"]["labels"]


def test_the_domain_model_knows_exactly_the_published_labels() -> None:
    assert load_fasttext(ARTIFACTS / "domain" / "domain.ftz").labels == domain.LABELS


def test_committed_models_tell_an_article_from_gambling_spam() -> None:
    def read(module: Any) -> tuple[Tokens, FastTextModel]:
        model = load_fasttext(ARTIFACTS / module.NAME / f"{module.NAME}.ftz")
        return tokenize_texts([ARTICLE, SPAM], [module.bundled_tokenizer()])[0], model

    good, bad = quality.score_quality(*read(quality))
    assert good["score"] > bad["score"]
    good, bad = toxicity.score_toxicity(*read(toxicity))
    assert good["score"] < bad["score"]
    assert good["worst_score"] < bad["worst_score"]
    article, _ = domain.score_domains(*read(domain))
    assert article["multi_label"][0] == article["single_label"]
    assert probabilities(article).keys() == set(domain.LABELS)
