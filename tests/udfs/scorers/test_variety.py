"""Varieties of a language: by characters that only one uses, and what is wrong with settings."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from udfs.base.settings import ConfigError
from udfs.files.artifacts import ArtifactFile
from udfs.lists.lexicon import LexiconError
from udfs.scorers.declaration import KnownFile
from udfs.scorers.scorer import Documents
from udfs.scorers.specific_words import SpecificWords, read_specific_words
from udfs.scorers.variety import (
    OTHER,
    VARIETY,
    VarietyLimits,
    VarietyRules,
    VarietySettings,
    score_varieties,
)

ROOT = Path(__file__).parents[3]
YUE = VarietyRules(("yue_Hani",))
NOTHING = {"probability": None, "words": 0, "word_share": 0.0, "url_term": None}
MODEL = ROOT / "conf" / "artifacts" / "variety" / "variety.hn"
BUNDLED_MODEL = ArtifactFile("variety", "1", MODEL.name, "")
BUNDLED = ROOT / "conf" / "artifacts" / "variety_words" / "variety_words.tsv"

CANTONESE = """琴日落咗成日雨，我哋喺茶餐廳坐咗兩個鐘頭先走得。
佢話聽日唔使返工，想去長洲食海鮮，你哋去唔去呀？
嗰間鋪頭嘅老闆好好人，次次都送啲嘢畀我。"""
SIMPLIFIED_CANTONESE = "佢哋话呢度啲嘢好食，不过我哋喺门口等咗好耐都未有位，所以冇食到。"
TUNISIAN = """يا جماعة اليوم مشيت للسوق وشريت برشا حاجات، أما الأسعار ولات غالية ياسر.
قالي البايع يزي من الهدرة، كان ما عجبكش برا شوف وين تلقى خير.
توا شنوة نعملو؟ ما فماش حتى حل، كل نهار يزيدو في السوم وما نجموش نخلصو.
هاذا الكل خاطر ما فما حد يراقب، والناس الكل ساكتة، موش معقول زادة."""
ALGERIAN = """يا جماعة اليوم رحت للسوق وشريت بزاف صوالح، بصح السومة راهي غالية بزاف.
قالي مول الحانوت بركا من الهدرة، إذا ما عجبكش روح شوف وين تلقى خير.
دروك واش نديرو؟ ما كانش حتى حل، كل نهار يزيدو فالسومة وما نقدروش نخلصو.
هذا كامل على جال ما كاين حتى واحد يراقب، والناس كامل ساكتين."""
STANDARD = """أعلنت وزارة التجارة في تونس أمس أن أسعار المواد الأساسية ستبقى مستقرة خلال الشهر.
وقال المتحدث باسم الوزارة إن المخزون كاف، وإن فرق المراقبة تكثف زياراتها إلى أسواق صفاقس وسوسة.
ودعا المستهلكين إلى الإبلاغ عن كل زيادة غير قانونية في الأسعار، مؤكدا أن المخالفين سيعاقبون."""
ARABIZI = """barcha nes lyoum fil marché, ama les prix walew ghalin yesser.
chnowa na3mlou tawa? mafamma 7atta 7al, kol nhar yzidou fel soum w manajmouch nkhalsou.
hetha lkol 5ater mafamma 7ad yra9eb, mouch ma39oul zeda, yezzi 3ad."""
FRENCH = """Il y avait beaucoup de monde au marché ce matin, mais les prix restent élevés.
Le vendeur nous a dit que les légumes arrivent trop tard et que rien ne va changer."""
MANDARIN = """昨天下了一整天的雨，我們在茶餐廳坐了兩個小時才走。
他說明天不用上班，想去長洲吃海鮮，你們去不去？
那間店的老闆人很好，每次都送些東西給我。"""


@pytest.fixture(autouse=True)
def model_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ArtifactFile, "local_path", lambda file: MODEL.with_name(file.file_name))


@pytest.fixture(scope="module")
def words() -> SpecificWords:
    return read_specific_words(BUNDLED)


def test_cantonese_is_told_from_mandarin_in_either_script(words: SpecificWords) -> None:
    texts = [CANTONESE, SIMPLIFIED_CANTONESE, MANDARIN]
    records = score_varieties(texts, words, YUE)
    assert [record["label"] for record in records] == ["yue_Hani", "yue_Hani", OTHER]
    assert records[2] == {**NOTHING, "label": OTHER}
    assert records[0]["word_share"] > 0.1


def test_a_mandarin_text_that_quotes_cantonese_stays_below_the_share(words: SpecificWords) -> None:
    quoting = MANDARIN * 5 + "店裡的人用粵語說「唔該」。"
    (record,) = score_varieties([quoting], words, YUE)
    assert record["label"] == OTHER and record["words"] == 1


def test_the_share_is_of_han_characters(words: SpecificWords) -> None:
    (record,) = score_varieties(["OK lah, see you 聽日喺 Central 食嘢 12:30!"], words, YUE)
    assert record == {**NOTHING, "label": "yue_Hani", "words": 2, "word_share": 2 / 5}


def test_texts_without_han_characters_are_other(words: SpecificWords) -> None:
    for text in ("", " \n", "No Chinese here."):
        (record,) = score_varieties([text], words, VarietyRules(("yue_Hani",), min_word_share=0.0))
        assert record == {**NOTHING, "label": OTHER}


def test_of_several_varieties_the_likelier_is_taken() -> None:
    words = SpecificWords({"嘅": "yue_Hani", "冇": "yue_Hani", "侬": "wuu_Hani", "伊": "wuu_Hani"})
    rules = VarietyRules(("yue_Hani", "wuu_Hani"))
    records = score_varieties(["侬搭伊嘅", "冇嘅侬", "侬嘅"], words, rules)
    assert [record["label"] for record in records] == ["wuu_Hani", "yue_Hani", "yue_Hani"]


def check(settings: VarietySettings, *varieties: str, path: Path = BUNDLED) -> None:
    files = {"artifact": KnownFile("variety_words@1", {}, path)}
    if settings.model is not None:
        files["model"] = KnownFile("variety@1", {}, MODEL)
    VARIETY.check(settings, VarietyLimits(varieties), files)


def test_settings_that_fit_are_accepted() -> None:
    check(VarietySettings(), "yue_Hani", OTHER)


@pytest.mark.parametrize(
    ("settings", "varieties", "said"),
    [
        (VarietySettings(wanted=()), (), r"variety\.wanted = \[\]"),
        (VarietySettings(wanted=("nan_Hani",)), (), "no word of 'nan_Hani'; it has words of"),
        (VarietySettings(), ("yue",), r"select\.varieties = \['yue'\]: .* known: yue_Hani, other"),
    ],
)
def test_settings_that_do_not_fit_are_named(
    settings: VarietySettings, varieties: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        check(settings, *varieties)


@pytest.mark.parametrize("content", ["yue_Hani\t佢哋\n", "yue_Hani\n\t嘅\n"])
def test_a_broken_list_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "words.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LexiconError, match=r"words\.tsv"):
        read_specific_words(path)
    with pytest.raises(ConfigError, match=r"variety\.artifact: .*words\.tsv"):
        check(VarietySettings(), path=path)


def tunisian(**settings: Any) -> VarietyRules:
    settings = {"model": BUNDLED_MODEL, "min_probability": 0.9} | settings
    return VarietyRules(("aeb_Arab", "aeb_Latn"), **settings)


def test_tunisian_is_told_from_its_neighbours_in_either_script(words: SpecificWords) -> None:
    texts = [TUNISIAN, ALGERIAN, STANDARD, FRENCH, MANDARIN]
    records = score_varieties(texts, words, tunisian())
    assert [record["label"] for record in records] == ["aeb_Arab", OTHER, OTHER, OTHER, OTHER]
    assert records[0]["probability"] > 0.999 and records[2]["probability"] < 0.5
    (latin,) = score_varieties([ARABIZI * 3], words, tunisian())
    assert latin["label"] == "aeb_Latn" and latin["word_share"] > 0.2


def test_the_names_in_a_text_do_not_decide(words: SpecificWords) -> None:
    named = STANDARD + " تونس التونسيين صفاقس والقيروان" * 3
    elsewhere = STANDARD + " المغرب والجزائريين" * 3
    without, *with_names = score_varieties([STANDARD, named, elsewhere], words, tunisian())
    assert [record["probability"] for record in with_names] == [without["probability"]] * 2


def test_marks_and_stretched_words_do_not_matter(words: SpecificWords) -> None:
    spelled = TUNISIAN.replace("برشا", "بَرْشَاااا").replace("توا", "تـــوا")
    plain, marked = score_varieties([TUNISIAN, spelled], words, tunisian())
    assert plain == marked


def test_a_term_of_the_address_makes_a_variety_likelier(words: SpecificWords) -> None:
    urls = [None, "https://www.example.tn/a", "https://example.org/tunisia/a", "https://a.org/tn"]
    documents = Documents([ALGERIAN] * 4, urls)
    records = score_varieties(
        documents, words, tunisian(url_terms=(".tn", "tunisia"), url_weight=1.0)
    )
    assert [record["url_term"] for record in records] == [None, ".tn", "tunisia", None]
    odds = [record["probability"] / (1 - record["probability"]) for record in records]
    assert odds[1] == pytest.approx(math.e * odds[0]) == odds[2]
    assert odds[3] == odds[0]


def test_a_variety_that_the_model_does_not_have_is_known_by_its_words(words: SpecificWords) -> None:
    rules = VarietyRules(("aeb_Arab", "yue_Hani"), model=BUNDLED_MODEL)
    records = score_varieties([TUNISIAN, CANTONESE], words, rules)
    assert [record["label"] for record in records] == ["aeb_Arab", "yue_Hani"]
    assert records[1]["probability"] is None


def test_few_words_are_no_evidence(words: SpecificWords) -> None:
    (short,) = score_varieties(["برشا ناس"], words, tunisian())
    assert short["probability"] > 0.5 and short["word_share"] == 0.5
    (empty,) = score_varieties(["123 !"], words, tunisian())
    assert empty["label"] == OTHER and empty["words"] == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"wanted": ("yue_Hani",), "model": "variety"}, "variety.model has none of them; it has"),
        ({"url_terms": (".tn",)}, "has no effect while variety.model is off"),
        ({"url_terms": ("a b",), "model": "variety"}, "'a b': expected a host"),
    ],
)
def test_settings_of_the_model_that_do_not_fit_are_named(
    settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        check(VarietySettings(**{"wanted": ("aeb_Arab",)} | settings))


def test_another_file_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "other.hn"
    path.write_bytes(b"something else")
    files = {
        "artifact": KnownFile("variety_words@1", {}, BUNDLED),
        "model": KnownFile("other@1", {}, path),
    }
    with pytest.raises(ConfigError, match=r"variety\.model: .*other\.hn: is no model"):
        VARIETY.check(VarietySettings(wanted=("aeb_Arab",), model="other"), VarietyLimits(), files)
