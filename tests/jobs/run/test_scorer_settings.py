"""Scorers with own models: errors in their settings are reported before Spark starts."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

import pytest

from jobs.catalogue.catalogue import bundled_conf
from jobs.catalogue.lock import load_lock
from jobs.config import ConfigError, load_config
from jobs.run.scorers import check_scorers, lock_id_of, stamp_of_scorer
from tests.builders.models import train_model
from udfs.files.artifacts import sha256_of
from udfs.scorers import domain, quality, toxicity
from udfs.scorers.fasttext_settings import tokenizer_settings
from udfs.tokens.forms import form_tokens
from udfs.tokens.shape_tokens import shape_tokens
from udfs.tokens.tokenizer import TokenizerSettings

OTHER_COUNT = f"toxicity.distinct={str(not toxicity.ToxicitySettings().distinct).lower()}"
"""Tokens counted in another way than the bundled model's."""
OTHER_FOLDING = f"toxicity.folding={str(not toxicity.ToxicitySettings().folding).lower()}"
"""Texts folded where those of the bundled model are not, or the other way round."""

OWN_TOXICITY = ("toxicity.artifact=mine.bin", "toxicity.label=dirty")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration beside own models."""
    folder = tmp_path_factory.mktemp("own")
    train_model(folder / "mine.bin", {"clean": "研究 历史", "dirty": "点击 登录"})
    train_model(folder / "kinds.bin", {"insult": "蠢货 滚开", "fraud": "刷单 返利"})
    train_model(folder / "topics.bin", {"体育": "球队 比赛", "news": "记者 报道"})
    (folder / "broken.bin").write_bytes((folder / "mine.bin").read_bytes()[:-7])
    (folder / "words.txt").write_text("我们\n", encoding="utf-8")
    (folder / "gbk.txt").write_bytes("我们\n".encode("gbk"))
    (folder / "empty.txt").write_text("# none\n", encoding="utf-8")
    (folder / "labels.tsv").write_text("other\tthe rest\n体育\nnews\n", encoding="utf-8")
    (folder / "run.toml").write_text("")
    return folder


def check(folder: Path, *settings: str) -> None:
    config = load_config(folder / "run.toml", settings)
    check_scorers(config, load_lock(config, folder / "run.toml"))


@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("quality.artifact=mine.bin",),
        ("quality.artifact=mine.bin", "quality.label=__label__dirty"),
        ("quality.artifact=mine.bin", "quality.distinct=true", "quality.extra_tokens=forms"),
        ("quality.artifact=mine.bin", "quality.min_token_chars=1", "quality.stopwords=words.txt"),
        ("quality.artifact=mine.bin", "quality.max_chars=off", "quality.stopwords=off"),
        ("quality.segmentation=jieba",),
        ("domain.artifact=topics.bin", "domain.labels.体育=general"),
        ("domain.artifact=topics.bin", "domain.taxonomy=labels.tsv", 'select.domains=["体育"]'),
        ("domain.min_probabilities.math=0.5",),
        ("toxicity.window_tokens=off", "toxicity.aggregate=max", "toxicity.exempt_formulas=false"),
        (*OWN_TOXICITY, "toxicity.segmentation=characters"),
        ("toxicity.kinds=kinds.bin", "toxicity.min_label_scores={fraud = 0.9}"),
        ("toxicity.short=off", "toxicity.kinds=off"),
        (*OWN_TOXICITY, "toxicity.harmful=off"),
        (*OWN_TOXICITY, OTHER_FOLDING),
        ("domain.hosts=off",),
        ("domain.hosts=labels.tsv",),
        ('score.scorers=["toxicity"]', "quality.artifact=absent.bin", "domain.taxonomy=absent"),
    ],
)
def test_what_fits_passes(folder: Path, settings: tuple[str, ...]) -> None:
    check(folder, *settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["quality.artifact=absent.bin"], ["quality.artifact = 'absent.bin'", "no file"]),
        (["quality.artifact=broken.bin"], ["quality.artifact", "broken.bin", "bytes needed"]),
        (["quality.artifact=words.txt"], ["quality.artifact", "too few for a fastText model"]),
        (["quality.label=good"], ["quality.label = 'good'", "clean, dirty"]),
        (["toxicity.artifact=mine.bin"], ["toxicity.label = 'toxic'", "clean, dirty"]),
        (["quality.artifact=mine.bin", "quality.stopwords=gbk.txt"], ["stopwords", "not UTF-8"]),
        (["quality.stopwords=words.txt"], ["quality.stopwords", "quality@"]),
        (["domain.min_token_chars=7"], ["domain.min_token_chars = 7", "where it is"]),
        (["domain.join_lines=true"], ["domain.join_lines = True", "domain@"]),
        (["quality.artifact=mine.bin", "quality.min_token_chars=0"], ["expected 1 or more"]),
        ([OTHER_COUNT], ["toxicity.distinct = ", "toxicity@"]),
        ([OTHER_FOLDING], ["toxicity.folding = ", "toxicity@"]),
        (["toxicity.harmful=off"], ["toxicity.harmful = None", "toxicity@"]),
        (["toxicity.harmful_weight=5"], ["toxicity.harmful_weight = 5.0", "toxicity@"]),
        (
            [*OWN_TOXICITY, "toxicity.harmful=words.txt"],
            ["toxicity.harmful", "words.txt", "was expected"],
        ),
        (["toxicity.short=mine.bin"], ["toxicity.short", "clean, dirty", "expected toxic"]),
        (["toxicity.kinds=mine.bin"], ["toxicity.kinds = 'mine.bin'", "'clean' is no kind"]),
        (["toxicity.min_label_scores={spam = 0.5}"], ["no kind 'spam'", "insult, gambling"]),
        (
            ["toxicity.kinds=off", "toxicity.min_label_scores={fraud = 0.5}"],
            ["['fraud']", "toxicity.kinds is off"],
        ),
        (["domain.hosts=empty.txt"], ["domain.hosts", "no host, URL or word"]),
        (["toxicity.extra_tokens=forms"], ["toxicity.extra_tokens = 'forms'", "it is None"]),
        (["toxicity.extra_tokens=rhymes"], ["toxicity.extra_tokens", "expected", "forms"]),
        (["quality.artifact=mine.bin", "quality.max_chars=0"], ["expected 1 or more, or off"]),
        (["toxicity.window_tokens=0"], ["toxicity.window_tokens = 0", "expected 1 or more"]),
        (["toxicity.top_k=0"], ["toxicity.top_k = 0", "expected 1 or more"]),
        (["toxicity.aggregate=median"], ["expected one of max, mean, top_k"]),
        (["toxicity.max_chars=20000"], ["toxicity.max_chars = 20000", "where it is"]),
        (["toxicity.segmentation=characters"], ["toxicity.segmentation", "toxicity@"]),
        (["domain.artifact=topics.bin"], ["domain.labels", "'体育'", "encyclopedia"]),
        (["domain.labels.数学=math"], ["domain.labels: the model has no '数学'"]),
        (["domain.taxonomy=labels.tsv"], ["domain.labels", "expected one of news, other, 体育"]),
        (['select.domains=["maths"]'], ["select.domains: no label 'maths'", "math, medicine"]),
        (["domain.min_probabilities.maths=0.5"], ["min_probabilities: no label 'maths'"]),
    ],
)
def test_what_does_not_fit_is_named(folder: Path, settings: list[str], said: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        check(folder, *settings)
    for words in said:
        assert words in str(error.value)


def test_the_tokenizer_is_what_the_settings_say(folder: Path) -> None:
    keys = (
        "toxicity.segmentation=characters",
        "toxicity.stopwords=off",
        "toxicity.distinct=true",
        "toxicity.extra_tokens=forms",
        "toxicity.min_token_chars=1",
        "toxicity.max_chars=off",
    )
    config = load_config(folder / "run.toml", ["toxicity.artifact=mine.bin", *keys])
    assert tokenizer_settings(config.scorers["toxicity"]) == TokenizerSettings(
        "characters", 1, None, None, distinct=True, extra=form_tokens
    )


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (quality, TokenizerSettings(distinct=True, extra=shape_tokens)),
        (
            domain,
            TokenizerSettings(min_token_chars=1, stop_words=None, distinct=True, extra=form_tokens),
        ),
        (
            toxicity,
            TokenizerSettings(
                min_token_chars=1,
                stop_words=None,
                max_chars=1_000_000,
                exempt_formulas=True,
                distinct=True,
                folding=toxicity.ToxicitySettings().folding,
            ),
        ),
    ],
)
def test_texts_are_tokenized_as_for_training_of_the_bundled_models(
    module: ModuleType, expected: TokenizerSettings
) -> None:
    assert module.bundled_tokenizer() == expected


def test_a_score_follows_from_its_model_and_what_that_needs(folder: Path) -> None:
    def ids(*settings: str) -> dict[str, str]:
        config = load_config(folder / "run.toml", settings)
        lock = load_lock(config, folder / "run.toml")
        return {name: lock_id_of(name, config, lock) for name in ("quality", "domain", "toxicity")}

    bundled = ids()
    mine = ids("quality.artifact=mine.bin")
    assert mine["quality"] != bundled["quality"]
    assert {**mine, "quality": ""} == {**bundled, "quality": ""}
    assert ids("quality.artifact=mine.bin", "quality.stopwords=words.txt") != mine
    other_labels = ids("domain.artifact=topics.bin", "domain.taxonomy=labels.tsv")
    same_model = ids("domain.artifact=topics.bin", "domain.labels.体育=general")
    assert other_labels["domain"] != same_model["domain"]
    config = load_config(folder / "run.toml", ["quality.artifact=mine.bin"])
    stamp = stamp_of_scorer("quality", config, load_lock(config, folder / "run.toml"))
    assert stamp == f"mine.bin@local+{sha256_of(folder / 'mine.bin')[:12]}"


def test_the_casia_preset_takes_the_published_models(tmp_path: Path) -> None:
    shutil.copy(bundled_conf() / "casia.toml", tmp_path)
    (tmp_path / "casia").mkdir()
    names = ("quality.bin", "model_domain.bin", "toxic_classifier_r2.bin")
    lessons = (
        {"clean": "研究 历史", "dirty": "点击 登录"},
        {"math": "方程 函数", "news": "记者 报道"},
        {"0": "研究 历史", "1": "赌场 开户"},
    )
    path = tmp_path / "casia.toml"
    config = load_config(path)
    with pytest.raises(ConfigError, match=r"quality\.artifact = 'casia/quality\.bin'.*no file"):
        load_lock(config, path)
    for name, words in zip(names, lessons, strict=True):
        train_model(tmp_path / "casia" / name, words)
    with pytest.raises(ConfigError, match=r"quality\.stopwords = 'casia/cn_stopwords\.txt'"):
        load_lock(config, path)
    (tmp_path / "casia" / "cn_stopwords.txt").write_text("我们\n", encoding="utf-8")
    check_scorers(config, load_lock(config, path))
