"""A form of sampled documents, filled in and added up."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.audit import inspection
from jobs.audit.inspection import FLAGS, FlagCount, counts_of
from jobs.config import ConfigError

TEXTS = {f"id{n:03d}": f'第{n}篇，有两行。\n第二行 "quoted"' for n in range(40)}
TEXTS["id007"] = "=HYPERLINK(0)"


def write_corpus(folder: Path, ids: list[str], files: int = 2) -> Path:
    (folder / "corpus").mkdir(parents=True)
    for part in range(files):
        rows = [{"doc_id": i, "url": None, "text": TEXTS[i]} for i in ids[part::files]]
        table = pa.Table.from_pylist(
            rows, pa.schema([(name, pa.string()) for name in ("doc_id", "url", "text")])
        )
        pq.write_table(table, folder / "corpus" / f"part-{part}.parquet")
    return folder


def rows_of(form: Path) -> list[dict[str, str]]:
    with form.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(folder: Path, output: Path, name: str, *more: str) -> list[dict[str, str]]:
    form = folder / name
    call = ["--from", str(output), "--write", str(form), *more]
    assert inspection.main(call) == 0
    return rows_of(form)


def test_the_sample_depends_on_seed_and_documents_alone(tmp_path: Path) -> None:
    one = write_corpus(tmp_path / "one", sorted(TEXTS))
    other = write_corpus(tmp_path / "other", sorted(TEXTS, reverse=True), files=5)
    ten = written(tmp_path, one, "a.csv", "--documents", "10")
    assert ten == written(tmp_path, other, "b.csv", "--documents", "10")
    twenty = written(tmp_path, one, "c.csv", "--documents", "20")
    assert twenty[:10] == ten
    seeded = written(tmp_path, one, "d.csv", "--documents", "10", "--seed", "1")
    assert {row["doc_id"] for row in seeded} != {row["doc_id"] for row in ten}
    every = written(tmp_path, one, "e.csv", "--max-chars", "3")
    assert {row["doc_id"]: row["text"] for row in every} == {
        doc_id: "'=HY" if text[0] == "=" else text[:3] for doc_id, text in TEXTS.items()
    }


def test_a_filled_form_is_added_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = write_corpus(tmp_path / "out", sorted(TEXTS))
    rows = written(tmp_path, output, "form.csv", "--documents", "20")
    for number, row in enumerate(rows[:10]):
        row |= {"language_right": "Yes" if number else "no", "unnatural": "0", "porn": "n"}
    rows[0]["artifacts"] = " x "
    form = tmp_path / "filled.csv"
    with form.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    capsys.readouterr()
    assert inspection.main(["--read", str(form)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [line[:4] for line in lines] == [
        ["language_right", "9", "10", "0.900"],
        ["unnatural", "0", "10", "0.000"],
        ["artifacts", "1", "1", "1.000"],
        ["porn", "0", "10", "0.000"],
    ]


def test_the_limits_are_those_of_wilson() -> None:
    # Worked example: 9 of 10 have 0.596 to 0.982.
    assert FlagCount("porn", 9, 10).interval() == pytest.approx((0.596, 0.982), abs=5e-4)
    assert FlagCount("porn", 0, 200).interval() == pytest.approx((0.0, 0.0188), abs=5e-4)
    assert FlagCount("porn", 0, 0).interval() == (0.0, 1.0)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("doc_id,text\n1,x\n", "has no column language_right"),
        (f"doc_id,{','.join(FLAGS)}\nid7,yes,maybe,no,no\n", "id7: unnatural = 'maybe'"),
        ("", "has no column doc_id"),
    ],
)
def test_a_wrong_form_is_named(form: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"form.csv: {said}"):
        counts_of(form, "form.csv")


def test_wrong_requests_end_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = write_corpus(tmp_path / "out", ["id001"])
    (tmp_path / "there.csv").write_text("")
    for call, said in (
        (["--write", str(tmp_path / "a.csv")], "needs --from"),
        (["--from", str(tmp_path), "--write", str(tmp_path / "a.csv")], "has no table corpus"),
        (["--from", str(output), "--write", str(tmp_path / "there.csv")], "is there already"),
        (["--from", str(output), "--write", str(tmp_path / "a"), "--documents", "0"], "1 or more"),
        (["--read", str(tmp_path / "none.csv")], "none.csv"),
    ):
        assert inspection.main(call) == 2
        assert said in capsys.readouterr().err
