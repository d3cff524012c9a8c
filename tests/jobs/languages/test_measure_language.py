"""A pack proposed from texts of two made-up languages, and what a wrong request says."""

from __future__ import annotations

import gzip
import json
import lzma
import re
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.config import load_config
from jobs.config.exit_status import NothingCameOut
from jobs.languages import measure_language
from jobs.languages.counts import LIKE, OWN
from jobs.languages.measure_language import check_pack
from jobs.languages.proposal import LanguageRequest, MeasuredLanguage, measured, pack_text
from tests.jobs.conftest import LOCAL_CONFIG, Output
from udfs.files.clean_texts import CLEAN_TEXT

CHINESE = "我们在这里看书，他也来了。这是一本很好的书，写的是山和水。\n大家都说有意思。"
SOURCES = ("forum", "diary", "letters")


def own_text(number: int) -> str:
    """A document of the language: da and vo in all, mira in most, Rotem in one source alone."""
    words = ["da", "vo", f"kel{number % 7}"]
    words += ["mira"] if number % 10 else []
    words += ["rotem"] if number % 3 == 0 else []
    return f"Da {' '.join(words)} solu{'n' * (number % 5)}. Vo tes lima!\n" * (1 + number % 4)


def own_rows() -> list[tuple[str, str]]:
    return [(SOURCES[number % 3], own_text(number)) for number in range(60)]


def like_texts() -> list[str]:
    return [CHINESE * (number // 3 + 1) for number in range(60)]


def documents_of(spark: SparkSession, partitions: int) -> DataFrame:
    rows: list[tuple[str, str, str | None]] = [(OWN, *row) for row in own_rows()]
    rows += [(LIKE, "zh.txt", text) for text in like_texts()]
    rows += [("neighbour", "other.txt", f"Da tes kul{number}.") for number in range(30)]
    rows += [(OWN, "forum", None)]
    return spark.createDataFrame(rows, CLEAN_TEXT).repartition(partitions)


REQUEST = LanguageRequest("qaa", ("en",), load_config(None, ["language=zh"]))


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> MeasuredLanguage:
    return measured(documents_of(spark, 3), REQUEST)


def test_words_scripts_and_marks_are_measured(found: MeasuredLanguage) -> None:
    assert found.language.script == ("Latin",)
    assert found.language.tokenizer == "words"
    assert found.language.sentence_ends == "!."
    assert {"da", "vo", "mira"} <= set(found.language.stop_words)
    assert (found.documents[OWN], found.sources, found.unreadable) == (60, 3, 1)


def test_a_word_of_one_source_is_no_word_of_the_language(found: MeasuredLanguage) -> None:
    assert "rotem" not in found.language.stop_words
    assert "rotem" not in [one.word for one in found.specific]


def test_words_of_another_language_are_not_specific(found: MeasuredLanguage) -> None:
    specific = [one.word for one in found.specific]
    assert specific[0] == "lima"  # in all documents, before vo by its letters
    assert {"da", "tes"} & set(specific) == set()


def test_the_pack_loads_with_what_was_measured(found: MeasuredLanguage) -> None:
    text = pack_text(REQUEST, found)
    config = check_pack(text)
    assert config.language.stop_words == found.language.stop_words
    assert config.rules.traditional_policy == "keep"
    assert config.rules.max_mojibake_share is None
    assert "stop_word_share <" in config.rules.conditions["no_prose"]
    assert "gambling_or_pornography" not in config.rules.conditions
    assert "# lima\t60" in text


def test_a_limit_has_the_place_that_it_has_in_the_other_language(found: MeasuredLanguage) -> None:
    """zh's 200 characters reject texts of up to five repetitions, 15 of 60."""
    short = [text for text in like_texts() if len(text) < 200]
    place = len(short) / 60
    assert 0 < place < 1
    least = check_pack(pack_text(REQUEST, found)).rules.min_chars
    assert least is not None
    lengths = sorted(len(text) for _, text in own_rows())
    rejected = sum(length < least for length in lengths)
    stricter = sum(length <= least for length in lengths)
    assert rejected / 60 <= place < stricter / 60


def test_the_pack_is_the_same_for_another_partitioning(
    spark: SparkSession, found: MeasuredLanguage
) -> None:
    assert pack_text(REQUEST, measured(documents_of(spark, 1), REQUEST)) == pack_text(
        REQUEST, found
    )


@pytest.mark.slow
@pytest.mark.spark
def test_the_command_measures_files(spark: SparkSession, files: dict[str, Path]) -> None:
    assert measure_language.main(arguments(files)) == 0
    config = load_config(None, [f"language={files['output'].parent}"])
    assert config.language.tag == "qaa"
    assert measure_language.main(arguments(files)) == 2  # the file is there


@pytest.mark.spark
def test_the_command_measures_the_corpus_of_a_run(
    sample_output: Output, files: dict[str, Path]
) -> None:
    kept = sample_output.table("corpus").select("source_domain").collect()
    given = arguments(files)
    place = given.index("--text")
    given[place : place + 2] = ["--from", str(sample_output.path)]
    assert measure_language.main(given) == 0
    hosts = len({row.source_domain for row in kept})
    text = files["output"].read_text(encoding="utf-8")
    assert f"Measured on {len(kept)} documents of {hosts} sources" in text
    assert check_pack(text).language.script == ("Han",)


def test_few_texts_are_an_error(spark: SparkSession) -> None:
    few = documents_of(spark, 1).where("language != 'like' OR length(text) < 100")
    with pytest.raises(NothingCameOut, match=r"texts of like: \d+ documents; 50 are needed"):
        measured(few, REQUEST)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Clean text of the language and of the pack's, and the output."""
    own, like = tmp_path / "own.jsonl.xz", tmp_path / "like.jsonl.gz"
    with lzma.open(own, "wt", encoding="utf-8") as file:
        file.writelines(
            json.dumps({"text": text, "source": source}) + "\n" for source, text in own_rows()
        )
    with gzip.open(like, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in like_texts())
    return {"own": own, "like": like, "output": tmp_path / "pack" / "language.toml"}


def arguments(files: dict[str, Path]) -> list[str]:
    given = ["--config", str(LOCAL_CONFIG), "--tag", "qaa", "--labels", "en"]
    given += ["--text", str(files["own"]), "--like-text", str(files["like"])]
    return [*given, "--output", str(files["output"])]


@pytest.mark.parametrize(
    "more, said",
    [
        (["--against", "other"], "--against other: expected NAME=FILE"),
        (["--against", "other=none.txt"], "--against: .*none.txt"),
        (["--join", "0"], "--join 0: expected 1 or more"),
        (["--labels", "xx-none"], "xx-none"),
        (["--like", "none"], "no such pack"),
        (["--name", "law"], "--name: needs --from OUTPUT"),
    ],
)
def test_a_wrong_request_ends_before_spark(
    more: list[str], said: str, files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure_language.main([*arguments(files), *more]) == 2
    output = capsys.readouterr()
    assert re.search(said, output.err + output.out)


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("own.doc", b"text", "expected a file of"),
        ("own.txt", b"", "is empty"),
        ("own.jsonl", b'{"body": "x"}\n', "line 1 has no text"),
        ("own.jsonl.xz", b"no xz", "cannot be decompressed"),
    ],
)
def test_a_file_that_is_no_clean_text_ends_before_spark(
    name: str,
    content: bytes,
    said: str,
    files: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = files["own"].parent / "wrong" / name
    wrong.parent.mkdir()
    wrong.write_bytes(content)
    assert measure_language.main(arguments({**files, "own": wrong})) == 2
    output = capsys.readouterr()
    assert said in output.err + output.out


def test_an_output_that_is_none_is_refused(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = arguments(files)
    place = given.index("--text")
    given[place : place + 2] = ["--from", str(tmp_path / "nothing")]
    assert measure_language.main(given) == 2
    assert "has no corpus and no documents" in "".join(capsys.readouterr())
