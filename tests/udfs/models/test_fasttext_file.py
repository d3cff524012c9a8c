"""fastText files, whole and hostile: what passes is read, and what does not is an error."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import fasttext
import pytest

from udfs.models.fasttext_file import FastTextHeader, ModelFileError, read_fasttext_header
from udfs.models.fasttext_model import load_fasttext

ARTIFACTS = Path(__file__).parents[3] / "conf" / "artifacts"
WORDS = {"sport": "球队 比赛 进球", "money": "股票 基金 贷款", "art": "绘画 展览 颜色"}
# Fields of the settings, in order, four bytes each.
SETTINGS = [
    "magic", "version", "dim", "ws", "epoch", "min_count", "neg", "word_ngrams", "loss", "model",
    "bucket", "minn", "maxn", "lr_update_rate",
]  # fmt: skip
DICTIONARY = 4 * len(SETTINGS) + 8


def train(folder: Path, kind: str = "plain") -> Path:
    """A tiny model: plain, subwords (with characters), hs, ova, quantised or pruned."""
    text = folder / "lines.txt"
    lines = [f"__label__{label} {words}\n" * 60 for label, words in WORDS.items()]
    if kind == "quantised output":  # fastText quantises what has 256 rows and more
        lines += [f"__label__n{number} 词{number}\n" for number in range(300)]
    text.write_text("".join(lines), encoding="utf-8")
    model = fasttext.train_supervised(
        input=str(text), dim=8, bucket=300, wordNgrams=2, thread=1, seed=1, verbose=0, epoch=5,
        loss={"hs": "hs", "ova": "ova"}.get(kind, "softmax"),
        **({"minn": 1, "maxn": 3} if kind == "subwords" else {}),
    )  # fmt: skip
    if kind in ("quantised", "pruned", "quantised output"):
        options = {"cutoff": 280, "qnorm": True} if kind == "pruned" else {}
        output = kind == "quantised output"
        model.quantize(input=str(text), thread=1, verbose=0, qout=output, **options)
    path = folder / f"{kind}.bin"
    model.save_model(str(path))
    return path


@pytest.mark.parametrize("kind", ["plain", "subwords", "hs", "ova", "quantised", "pruned"])
def test_a_file_of_fasttext_says_what_it_is(tmp_path: Path, kind: str) -> None:
    header = read_fasttext_header(train(tmp_path, kind))
    loss = kind if kind in ("hs", "ova") else "softmax"
    quantised = kind in ("quantised", "pruned")
    assert header.labels == ("sport", "money", "art")
    assert (header.dim, header.loss, header.is_quantised) == (8, loss, quantised)
    assert header.version == 12
    assert kind == "pruned" or header.words == 10  # the line's end is one
    assert set(load_fasttext(tmp_path / f"{kind}.bin").labels) == set(header.labels)


@pytest.mark.parametrize("name", ["quality", "domain", "toxicity"])
def test_the_bundled_models_pass(name: str) -> None:
    header = read_fasttext_header(ARTIFACTS / name / f"{name}.ftz")
    assert isinstance(header, FastTextHeader)
    assert header.labels


def damaged(path: Path, at: int, value: bytes) -> Path:
    content = bytearray(path.read_bytes())
    content[at : at + len(value)] = value
    target = path.with_name("damaged.bin")
    target.write_bytes(content)
    return target


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("magic", 1, "is not a fastText model"),
        ("version", 13, "format 13"),
        ("dim", 0, "implausible"),
        ("dim", -1, "implausible"),
        ("dim", 2**31 - 1, "implausible"),
        ("dim", 9, "input matrix of"),
        ("word_ngrams", 10**9, "implausible"),
        ("loss", 7, "implausible"),
        ("loss", 0, "implausible"),
        ("model", 1, "not a supervised"),
        ("bucket", -5, "implausible"),
        ("bucket", 0, "no bucket"),
        ("bucket", 299, "input matrix of"),
        ("bucket", 2**31 - 1, "input matrix of"),
        ("minn", -3, "implausible"),
        ("maxn", 10**9, "implausible"),
    ],
)
def test_settings_that_lead_astray(tmp_path: Path, field: str, value: int, said: str) -> None:
    path = damaged(train(tmp_path), 4 * SETTINGS.index(field), struct.pack("<i", value))
    with pytest.raises(ModelFileError, match=said):
        load_fasttext(path)


@pytest.mark.parametrize(
    ("offset", "value", "said"),
    [
        (0, struct.pack("<i", 2**31 - 1), "dictionary of 2147483647 entries"),
        (4, struct.pack("<i", -1), "-1 words"),
        (
            4,
            struct.pack("<ii", 12, 1),
            "is of kind 1",
        ),  # a label as a word: a row that is not there
        (0, struct.pack("<iii", 13, 13, 0), "0 labels"),
        (20, struct.pack("<q", 5), "pruned but not quantised|bytes needed|pruned n-gram"),
        (20, struct.pack("<q", -2), "-2 pruned"),
        (20, struct.pack("<q", 2**62), "pruned n-grams"),
    ],
)
def test_a_dictionary_that_leads_astray(
    tmp_path: Path, offset: int, value: bytes, said: str
) -> None:
    path = damaged(train(tmp_path), DICTIONARY + offset, value)
    with pytest.raises(ModelFileError, match=said):
        load_fasttext(path)


def place_of(path: Path, wanted: bytes) -> int:
    found = path.read_bytes().find(wanted)
    assert found >= 0
    return found


def test_counts_that_a_tree_cannot_be_built_from(tmp_path: Path) -> None:
    path = train(tmp_path, "hs")
    at = place_of(path, b"__label__sport\0") + len(b"__label__sport\0")
    with pytest.raises(ModelFileError, match="counts 9000000000000000000"):
        load_fasttext(damaged(path, at, struct.pack("<q", 9 * 10**18)))
    with pytest.raises(ModelFileError, match="counts -1"):
        load_fasttext(damaged(path, at, struct.pack("<q", -1)))


def test_labels_that_are_no_text_or_come_twice(tmp_path: Path) -> None:
    path = train(tmp_path)
    at = place_of(path, b"__label__art\0") + len(b"__label__")
    with pytest.raises(ModelFileError, match="not UTF-8"):
        load_fasttext(damaged(path, at, b"\xff\xfe\xfd"))
    path = damaged(path, place_of(path, b"__label__sport\0") + len(b"__label__"), b"money")
    with pytest.raises(ModelFileError, match="comes twice"):
        load_fasttext(path)


def test_a_word_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(train(tmp_path).read_bytes()[: DICTIONARY + 28] + b"x" * 200_000)
    with pytest.raises(ModelFileError, match="entry 0 of the dictionary has no end"):
        load_fasttext(path)


def test_subwords_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfs.models.fasttext_file._MAX_SUBWORDS", 100)
    with pytest.raises(ModelFileError, match="subwords: expected 100 at most"):
        load_fasttext(train(tmp_path, "subwords"))


def test_ngrams_outside_of_the_matrix(tmp_path: Path) -> None:
    path = train(tmp_path, "pruned")
    labels_end = place_of(path, b"__label__art\0") + len(b"__label__art\0") + 9
    assert read_fasttext_header(path)
    for row in (2**31 - 1, -1):
        with pytest.raises(ModelFileError, match="outside of the matrix"):
            load_fasttext(damaged(path, labels_end + 4, struct.pack("<i", row)))


def quantiser_place(path: Path) -> int:
    """Where the input's quantised matrix begins: after the dictionary and the byte that says so."""
    return place_of(path, b"__label__art\0") + len(b"__label__art\0") + 9 + 1


@pytest.mark.parametrize(
    ("offset", "value", "said"),
    [
        (-1, b"\x07", "is flagged 7: expected 0 or 1"),
        (0, b"\x02", "is flagged 2: expected 0 or 1"),
        (1, struct.pack("<q", 2**40), "input matrix of"),
        (9, struct.pack("<q", -8), "input matrix of"),
        (17, struct.pack("<i", -1), "quantised in|bytes of codes"),
        (17, struct.pack("<i", 2**31 - 1), "ends in its input codes"),
    ],
)
def test_a_quantised_matrix_that_leads_astray(
    tmp_path: Path, offset: int, value: bytes, said: str
) -> None:
    path = train(tmp_path, "quantised")
    with pytest.raises(ModelFileError, match=said):
        load_fasttext(damaged(path, quantiser_place(path) + offset, value))


@pytest.mark.parametrize(
    ("field", "value"), [(0, 16), (1, 400), (1, 0), (2, 0), (2, 100), (3, 3), (3, -1)]
)
def test_a_quantiser_that_leads_astray(tmp_path: Path, field: int, value: int) -> None:
    path = train(tmp_path, "quantised")
    start = quantiser_place(path)
    (codes,) = struct.unpack_from("<i", path.read_bytes(), start + 17)
    at = start + 21 + codes + 4 * field
    with pytest.raises(ModelFileError, match="quantised in"):
        load_fasttext(damaged(path, at, struct.pack("<i", value)))


@pytest.mark.parametrize("kind", ["plain", "pruned"])
def test_a_file_that_ends_early_anywhere_or_goes_on(tmp_path: Path, kind: str) -> None:
    content = train(tmp_path, kind).read_bytes()
    path = tmp_path / "cut.bin"
    rng = random.Random(3)
    for size in [0, 1, 63, 64, 65, len(content) - 1, *rng.sample(range(len(content)), 60)]:
        path.write_bytes(content[:size])
        with pytest.raises(ModelFileError):
            read_fasttext_header(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(ModelFileError, match="1 bytes too many"):
        read_fasttext_header(path)


LOAD_ALL = """
import sys
from pathlib import Path
from udfs.models.fasttext_file import ModelFileError
from udfs.models.fasttext_model import load_fasttext
passed = 0
for path in sorted(Path(sys.argv[1]).glob("*.bin")):
    try:
        model = load_fasttext(path)
    except ModelFileError:
        continue
    passed += 1
    try:
        model.probabilities(["球队 比赛 从未 见过", "", "股票"])
    except RuntimeError:
        pass  # a number that is none: an error of the model's, and no crash
print(passed)
"""


@pytest.mark.slow
def test_what_passes_never_crashes_the_loader(tmp_path: Path) -> None:
    """Random damage: a process loads and asks all that passes, and lives."""
    rng = random.Random(7)
    folder = tmp_path / "damaged"
    folder.mkdir()
    for kind in ("plain", "subwords", "hs", "quantised", "pruned", "quantised output"):
        content = train(tmp_path, kind).read_bytes()
        head = content.find(b"__label__art\0") + 40
        for number in range(60):
            broken = bytearray(content)
            for _ in range(rng.randint(1, 3)):
                at = rng.randrange(8, head if rng.random() < 0.8 else len(content))
                broken[at] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
            (folder / f"{kind}-{number:03}.bin").write_bytes(broken)
    result = subprocess.run(
        [sys.executable, "-c", LOAD_ALL, str(folder)],
        cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False,
        env=dict(os.environ),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    assert int(result.stdout) > 20
