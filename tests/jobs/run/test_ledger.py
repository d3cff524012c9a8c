"""The ledger as it is written and checked: sums, files, and which balances are open."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.run.commits import Balance
from jobs.run.ledger import (
    BalanceOpen,
    FileBalance,
    close_ledger,
    decided_rows,
    kept_of,
    parts_of,
    stage_ledgers,
)
from jobs.run.splits import Split
from jobs.run.store import WHOLE, Store

SOUND = {
    (0, "a"): FileBalance(5, 3, Counter(length=1), Counter(cut=1), removed=0b1100),
    (0, "b"): FileBalance(2, 0, Counter(length=1, character=1), removed=0b1010),
    (1, "c"): FileBalance(),
}


def test_a_closed_ledger_is_written_by_wave_and_summed(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path))
    balance = close_ledger(store, "rules", WHOLE, SOUND)
    digests = {"0": "3:6", "1": "0:0"}
    assert balance == Balance(7, 3, {"character": 1, "length": 2}, {"cut": 1}, digests)
    first = pq.read_table(tmp_path / "ledger" / "stage=rules" / "wave=0" / "ledger.parquet")
    assert first.column_names == ["warc_path", "seen", "kept", "rejected", "failed"]
    assert first["warc_path"].to_pylist() == ["a", "b"]
    rejected = [[tuple(row.values()) for row in rows] for rows in first["rejected"].to_pylist()]
    assert rejected == [[("length", 1)], [("character", 1), ("length", 1)]]
    assert first["rejected"].to_pylist()[0] == [{"reason": "length", "records": 1}]


def test_what_a_stage_kept_is_what_the_next_one_sees(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path))
    close_ledger(store, "rules", WHOLE, SOUND)
    assert kept_of(store, "rules", [0, 1, 2]) is None
    seen = kept_of(store, "rules", [0, 1])
    assert seen == {(0, "a"): 3, (0, "b"): 0, (1, "c"): 0}
    decided = [("a", None, 2), ("a", "near", 1), ("c", None, 1), ("x", None, 4)]
    counts = [{"warc_path": path, "reason": reason, "n": n} for path, reason, n in decided]
    rows = decided_rows(seen, "select", counts)
    ledger = stage_ledgers(SOUND, ["select"], rows)["select"]
    assert ledger[0, "a"] == FileBalance(3, 2, Counter(near=1))
    assert ledger[0, "b"] == FileBalance()
    is_open = {file for file, balance in ledger.items() if not balance.is_closed}
    assert is_open == {(1, "c"), (0, "x")}  # more than there were, and a file that was not seen
    close_ledger(store, "rules", 1, {(1, "a"): FileBalance(1, 1)})
    assert (
        kept_of(store, "rules", [0, 1]) is None
    )  # of which wave a document of "a" is, is not known


def test_another_ledger_of_a_wave_leaves_those_of_other_waves(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path))
    close_ledger(store, "rules", WHOLE, SOUND)
    close_ledger(store, "rules", 1, {(1, "d"): FileBalance(1, 1)})
    folder = tmp_path / "ledger" / "stage=rules"
    paths = {
        name: pq.read_table(folder / name / "ledger.parquet")["warc_path"].to_pylist()
        for name in ("wave=0", "wave=1")
    }
    assert paths == {"wave=0": ["a", "b"], "wave=1": ["d"]}


@pytest.mark.parametrize(
    "open_balance", [FileBalance(2, 1), FileBalance(1, 2), FileBalance(None, 1), FileBalance(None)]
)
def test_an_open_balance_names_its_file(tmp_path: Path, open_balance: FileBalance) -> None:
    ledger = SOUND | {(2, "lost"): open_balance}
    with pytest.raises(BalanceOpen, match=r"rules, wave 3: .* 1 files: lost: FileBalance"):
        close_ledger(Store.at(str(tmp_path)), "rules", 2, ledger)


def test_the_driver_reads_waves_of_a_table_with_their_numbers(tmp_path: Path) -> None:
    for wave, ids in {0: ["1", "2"], 2: []}.items():
        folder = tmp_path / "flagged" / f"wave={wave:05d}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"doc_id": ids, "text": ids}), folder / "part-0.parquet")
    store = Store.at(str(tmp_path))
    rows = list(store.rows("flagged", ["doc_id"], [0, 2]))
    assert rows == [{"doc_id": "1", "wave": 0}, {"doc_id": "2", "wave": 0}]
    with pytest.raises(FileNotFoundError, match="wave=00001"):
        list(store.rows("flagged", ["doc_id"], [1]))


def test_a_file_whose_ranges_two_splits_read_has_two_parts() -> None:
    def split(folder: str, path: str) -> Split:
        return Split(folder, path, "warc", None, "index")

    waves = {0: (split("r0", "a"), split("r0", "b"), split("r1", "a")), 1: (split("r2", "a"),)}
    assert parts_of(waves, [0]) == {(0, "a"): 2, (0, "b"): 1}
    assert parts_of(waves, [0, 1])[1, "a"] == 1
