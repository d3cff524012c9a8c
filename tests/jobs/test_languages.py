"""Language packs: their layer, what a wrong one says, a made-up language in the pipeline."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs import run_pipeline
from jobs.config import Config, ConfigError, bundled_languages, load_config
from jobs.config.language_settings import LETTER_STEPS, NUMBER_PLANS
from jobs.config.sections import section_values
from jobs.config.values import with_tables
from tests.builders.warc_files import http_response, member, record
from tests.jobs.conftest import LOCAL_CONFIG
from tests.jobs.test_remembered_settings import remembered
from udfs.base.letters import FOLDS
from udfs.base.script_counts import script_chars
from udfs.pii.find import NUMBER_PLANS as PLANS

PACK = """
[language]
tag = "qaa"
labels = ["ka"]
script = ["Georgian"]
charsets = ["iso8859-1"]
tokenizer = "words"
function_chars = ""
stop_words = ["da", "ar", "და", "არ"]
interface_words = ["სურათი", "ნახეთ მეტი"]
number_plans = []
index_languages = ["kat"]
scorers = []

[extract]
languages = ["ka"]
min_language_score = 0.3
min_script_chars = 40

[rules]
pack = "off"
lexicon = "words.tsv"
min_chars = 100
min_script_share = 0.5
max_mojibake_share = "off"

[rules.conditions]
no_stop_words = "words > 20 AND stop_word_share < 0.02"

[pair_rules]
pack = "off"
min_chars = 8
min_words = 2
min_script_share = 0.5
max_sensitive_words = 0
reject_interface_words = true

[interleave]
min_chars = 45

[dedup]
shingle_words = 3

[score]
scorers = []

[select]
quality_from = "off"
min_quality = "off"
"""

# Own sentences.
LINES = (
    "დღეს დილით ბაზარში წავედი და ახალი პური ვიყიდე ჩემი მეზობლისთვის.",
    "მდინარის პირას ბავშვები თამაშობდნენ და არავინ ჩქარობდა სახლში დაბრუნებას.",
    "ბებიამ მითხრა რომ ზამთარი წელს გრძელი არ იქნება და თოვლი მალე დადნება.",
    "სკოლის ბიბლიოთეკაში ძველი წიგნები ვიპოვეთ და ერთი კვირა ვკითხულობდით.",
)
OTHER = (
    "მატარებელი საღამოს ექვს საათზე გავიდა და მგზავრები ფანჯრიდან ხელს გვიქნევდნენ.",
    "ქალაქის მთავარ მოედანზე მუსიკოსები უკრავდნენ და ხალხი ტაშს უკრავდა.",
    "ჩვენ არ ვიცოდით სად იყო სასტუმრო და ერთ კეთილ კაცს ვკითხეთ გზა.",
)
ENGLISH = (
    "The market opens at eight in the morning and closes at noon on every working day, and whoever "
    "comes late buys what the others left behind, which is rarely the best of the fruit."
)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "qaa"
    folder.mkdir()
    (folder / "language.toml").write_text(PACK, encoding="utf-8")
    (folder / "words.tsv").write_text("gambling\tკაზინო\n", encoding="utf-8")
    return folder


def page(*lines: str) -> bytes:
    body = "".join(f"<p>{line}</p>" for line in lines)
    return f"<html><head><title>ახალი ამბები</title></head><body>{body}</body></html>".encode()


def test_the_first_pack_says_what_the_code_does_by_default() -> None:
    text = bundled_languages()["zh"].joinpath("language.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    assert with_tables(Config(), tables, "zh") == Config()
    assert tables["language"].keys() >= section_values(Config(), "language").keys() - {
        *("pack", "stop_words", "normalise", "fold", "scorers", "interface_words"),
    }


def test_words_of_the_configuration_are_those_of_the_code() -> None:
    assert set(LETTER_STEPS) == set(FOLDS)
    assert set(NUMBER_PLANS) == set(PLANS)


def test_every_bundled_pack_loads() -> None:
    for name in bundled_languages():
        assert load_config(None, [f"language={name}"]).language.pack == name


def test_a_pack_lies_under_the_file_and_over_the_defaults(pack: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('language = "qaa"\n[rules]\nmin_chars = 77\n', encoding="utf-8")
    config = load_config(file, ["extract.min_script_chars=9"])
    assert (config.rules.min_chars, config.rules.min_script_share) == (77, 0.5)
    assert config.extract.min_script_chars == 9
    assert config.rules.lexicon == str((pack / "words.tsv").resolve())
    assert config.rules.conditions.keys() == {"no_stop_words"}
    assert config.scorers["quality"].segmentation == "words"
    assert load_config(None, [f"language={pack}"]).language == replace(
        config.language, pack=str(pack)
    )


def test_an_output_remembers_its_language_and_leaves_it_whole(pack: Path, tmp_path: Path) -> None:
    first = load_config(None, [f"language={pack}", "rules.min_chars=55", "select.jsonl=zst"])
    kept = remembered(first)
    assert load_config(None, [], kept) == first
    changed = load_config(None, ["language=zh"], kept)
    assert changed == load_config(None, ["rules.min_chars=55", "select.jsonl=zst"])
    forgotten = kept.without(["language"], None)
    assert load_config(None, [], forgotten) == changed
    (pack / "language.toml").unlink()
    assert load_config(None, [], kept) == first


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('tag = "qaa"', 'tagg = "qaa"', ["unknown key language.tagg", "known keys of [language]"]),
        ("[extract]", "[run]\nlog = 'json'\n[extract]", ["[run] is not of a language", "rules"]),
        ('tag = "qaa"', 'pack = "zh"', ["without the key pack"]),
        ('["Georgian"]', '["Georgain"]', ["'Georgain'", "U+0600-06FF", "Georgian"]),
        ('["Georgian"]', '["U+0700-06FF"]', ["'U+0700-06FF'"]),
        ('["iso8859-1"]', '["iso-8859-1"]', ["'iso-8859-1'", "write 'iso8859-1'"]),
        ('["iso8859-1"]', '["klingon"]', ["'klingon' is not the name of a Python codec"]),
        ("number_plans = []", 'number_plans = ["XX"]', ["unknown XX", "CN, TN"]),
        ("scorers = []\n\n[ex", 'scorers = ["qual"]\n\n[ex', ["language.scorers", "unknown qual"]),
        ("[score]\nscorers = []", "[score]", ["quality has no model for the language"]),
        ('tokenizer = "words"', 'tokenizer = "spacy"', ["language.tokenizer = 'spacy'", "words"]),
    ],
)
def test_a_wrong_pack_is_named(pack: Path, before: str, after: str, said: list[str]) -> None:
    assert before in PACK
    (pack / "language.toml").write_text(PACK.replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(None, [f"language={pack}"])
    for words in said:
        assert words in str(error.value)


def test_a_tokenizer_that_is_not_installed_is_named(
    pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"language\.tokenizer = 'jieba': not installed"):
        load_config(None, [f"language={pack}", "language.tokenizer=jieba"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["language=no_such"], "language.pack = 'no_such': no such pack"),
        (["rules.lexicon=none.tsv"], "rules.lexicon = 'none.tsv': no such artifact, and no file"),
        (['extract.languages=["qaa"]'], "extract.languages = ['qaa']: the language model has no"),
        (['language.labels=["ka", "qaa"]'], "the language model has no label 'qaa'; it has af,"),
        (['rules.host_block=["none.tsv"]'], "'none.tsv': no such artifact, and no file"),
        (
            [
                'score.scorers=["variety"]',
                'language.scorers=["variety"]',
                "variety.artifact=no.tsv",
            ],
            "variety.artifact = 'no.tsv': no such artifact, and no file",
        ),
        (
            [
                *('score.scorers=["variety"]', 'language.scorers=["variety"]'),
                'variety.wanted=["kat_Geor"]',
            ],
            "variety.artifact has no word of 'kat_Geor'",
        ),
        (['score.scorers=["quality"]'], "quality has no model for the language"),
        (["select.toxic=drop"], "has no toxicity"),
        (["dedup.keep=best", "score.rows=all"], "select.quality_from, which is off"),
        (
            ["extract.pairs=true", "pair_rules.pack=coyo"],
            "pair_rules.min_nouns = 1: needs nouns, which the tokenizer 'words' of language",
        ),
        (
            ["extract.pairs=true", "language.tokenizer=characters"],
            "pair_rules.min_words = 2: needs words, which the tokenizer 'characters' of language",
        ),
        (
            [
                *("extract.pairs=true", "alignment.vectors=true"),
                'score_pairs.scorers=["alignment", "concepts"]',
            ],
            "concepts needs nouns, which the tokenizer 'words' of language",
        ),
    ],
)
def test_what_a_language_lacks_ends_a_command_before_spark(
    pack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: list[str], said: str
) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n', encoding="utf-8")
    call = [
        *("--config", str(LOCAL_CONFIG), "--input", str(tmp_path / "a.jsonl")),
        *("--output", str(tmp_path / "out"), "--set", f"language={pack}", *settings),
    ]
    assert run_pipeline.main(call) == 2
    assert said in capsys.readouterr().err


def test_a_made_up_language_runs_through_the_pipeline(
    spark: SparkSession, pack: Path, tmp_path: Path
) -> None:
    bodies = {
        "kept": page(*LINES),
        "latin": page(ENGLISH),
        "references": page(*("".join(f"&#{ord(char)};" for char in line) for line in OTHER)),
        "no_stop_words": page(*(line.replace(" და ", " ").replace(" არ ", " ") for line in LINES)),
        "near": page(*LINES[:3], LINES[3].replace("ერთი", "ორი")),
        "mostly_latin": page(LINES[0], f"{LINES[1]} {ENGLISH}"),
    }
    records = (
        record(http_response(body), uri=f"http://example.ge/{name}")
        for name, body in bodies.items()
    )
    crawl = tmp_path / "a.warc.gz"
    crawl.write_bytes(b"".join(map(member, records)))
    output = tmp_path / "out"
    call = [
        *("--config", str(LOCAL_CONFIG), "--input", str(crawl), "--output", str(output)),
        *("--set", f"language={pack}", "dedup.min_similarity=0.7"),
    ]
    assert run_pipeline.main(call) == 0

    def last(url: str) -> str:
        return str(url).rsplit("/", 1)[-1]

    corpus = {last(row.url): row for row in spark.read.parquet(f"{output}/corpus").collect()}
    assert corpus.keys() == {"kept", "references"}
    row = corpus["kept"]
    assert (row.quality_score, row.domain, row.toxicity, row.tokens) == (None,) * 4
    assert script_chars(row.text.encode(), ("Georgian",)) > 150
    rejected = spark.read.parquet(f"{output}/rejected").collect()
    assert {last(row.url): row.reasons for row in rejected} == {
        "no_stop_words": ["no_stop_words"],
        "near": ["near"],
        "mostly_latin": ["character"],
    }
    facts = json.loads((output / "run.json").read_text(encoding="utf-8"))
    (extracted,) = (of for of in facts["stages"] if of["stage"] == "extract_documents")
    assert (extracted["seen"], extracted["kept"], extracted["rejected"]) == (6, 5, 1)
    assert "too_few_script_chars" in json.dumps(facts)
    measured = spark.read.parquet(f"{output}/measures").collect()
    (found,) = (row.measures for row in measured if row.doc_id == corpus["kept"].doc_id)
    assert found.words == sum(len(line.split()) for line in LINES)
    assert found.stop_word_share == pytest.approx(5 / found.words)


ALTS = {
    "kept": "ძველი ხიდი წვიმაში",
    "few_words": "ხიდიდამდინარე",
    "few_script_chars": "the old bridge ხიდი",
    "text_length": "ხიდი და",
    "sensitive": "კაზინო ძველ ქალაქში",
    "interface_words": "ნახეთ მეტი 2",
}


@pytest.mark.slow
def test_pairs_of_a_made_up_language_are_measured_as_its_pack_says(
    spark: SparkSession, pack: Path, tmp_path: Path
) -> None:
    images = "".join(f'<img src="/{name}.jpg" alt="{alt}">' for name, alt in ALTS.items())
    body = page(*LINES).replace(b"</body>", images.encode() + b"</body>")
    crawl = tmp_path / "a.warc.gz"
    crawl.write_bytes(member(record(http_response(body), uri="http://example.ge/a")))
    output = tmp_path / "out"
    call = [
        *("--config", str(LOCAL_CONFIG), "--input", str(crawl), "--output", str(output)),
        *("--set", f"language={pack}", "extract.pairs=true"),
    ]
    assert run_pipeline.main(call) == 0
    pairs = spark.read.parquet(f"{output}/pairs").select("doc_id", "place", "alt")
    measures = spark.read.parquet(f"{output}/pair_measures")
    found = {row.alt: row for row in pairs.join(measures, ["doc_id", "place"]).collect()}
    assert {row.nouns for row in found.values()} == {None}
    by_name = {name: found[alt] for name, alt in ALTS.items()}
    assert [by_name[name].words for name in ALTS] == [3, 1, 4, 2, 3, 3]
    shares = [by_name[name].script_share for name in ALTS]
    assert shares == [1.0, 1.0, pytest.approx(4 / 16), 1.0, 1.0, pytest.approx(9 / 10)]
    assert [by_name[name].sensitive_distinct for name in ALTS] == [0, 0, 0, 0, 1, 0]
    (kept,) = spark.read.parquet(f"{output}/selected_pairs").collect()
    assert kept.text == ALTS["kept"]
    rejected = spark.read.parquet(f"{output}/rejected_pairs").collect()
    assert {row.url.rsplit("/", 1)[-1]: row.reasons for row in rejected} == {
        f"{name}.jpg": [name] for name in ALTS if name != "kept"
    }
