"""Label sets: ours, and what is wrong with others."""

from pathlib import Path

import pytest

from udfs.scorers import domain
from udfs.scorers.domain import Taxonomy, TaxonomyError, read_taxonomy

BUNDLED = Path(__file__).parents[3] / "conf" / "artifacts" / "domain_labels" / "domain_labels.tsv"


def test_the_bundled_labels_are_those_that_models_are_trained_on() -> None:
    assert read_taxonomy(BUNDLED) == Taxonomy(domain.LABELS, domain.GENERAL)


def test_the_first_label_is_the_fallback(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text("\ufeff# ours\n\nother\tthe rest\r\n体育\tsport\nart\n", encoding="utf-8")
    assert read_taxonomy(path) == Taxonomy(("art", "other", "体育"), "other")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no label"),
        (b"# nothing\n", "holds no label"),
        (b"a\tx\nb\na\n", r"labels\.tsv:3: expected a label that is new, found 'a'"),
        (b"a\n\tno name\n", r"labels\.tsv:2"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_broken_list_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "labels.tsv"
    path.write_bytes(content)
    with pytest.raises(TaxonomyError, match=said):
        read_taxonomy(path)


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match="cannot be read"):
        read_taxonomy(tmp_path / "absent.tsv")
