"""The second identifier of languages: labels as lid.176 has them, for any text."""

from __future__ import annotations

import pyarrow as pa

from udfs.lists.lexicon import Lexicon
from udfs.measures.schema import Editing
from udfs.measures.second_language import identify
from udfs.measures.text_pass import PassLists, pass_over

CHINESE = "江边的旧码头改成了步道，傍晚有人在那里散步，也有人坐着看船。" * 4
ENGLISH = "The old pier by the river has become a promenade where people walk in the evening. " * 4
JAPANESE = "川沿いの古い桟橋は遊歩道になり、夕方になると散歩する人や船を眺める人がいます。" * 4
HEBREW = "המזח הישן ליד הנהר הפך לטיילת שבה אנשים הולכים בערב ורואים ספינות. " * 4


def test_languages_have_the_labels_of_the_first_identifier() -> None:
    found = identify([CHINESE, ENGLISH, JAPANESE, HEBREW])
    assert [label for label, _ in found] == ["zh", "en", "ja", "he"]
    assert all(0.9 < score <= 1.0 for _, score in found)


def test_texts_without_a_language_are_undetermined() -> None:
    assert identify(["", "  \n", "12345", "\ud800"])[:3] == [("und", 0.0)] * 3
    assert identify([]) == []


def test_a_text_has_one_answer_wherever_it_is_among_others() -> None:
    alone = [identify([text])[0] for text in (CHINESE, ENGLISH)]
    assert identify([CHINESE, "", ENGLISH, "\0"])[::2] == alone


def test_the_text_pass_stores_both_identifiers_or_none() -> None:
    batch = pa.RecordBatch.from_pydict(
        {
            "doc_id": ["1", "2", "3"],
            "url": pa.array([None] * 3, pa.string()),
            "opt_outs": pa.array([None] * 3, pa.list_(pa.string())),
            "text": [CHINESE, ENGLISH, None],
            "language": ["zh", "zh", "zh"],
        }
    )
    lists = PassLists(Lexicon({}))
    both = pass_over(batch, Editing(), lists, second_identifier=True).column("measures").to_pylist()
    assert [(row and row["language"], row and row["second_language"]) for row in both] == [
        ("zh", "zh"),
        ("zh", "en"),
        (None, None),
    ]
    none = pass_over(batch, Editing(), lists).column("measures").to_pylist()
    names = ("language", "second_language", "second_language_score")
    for with_second, without in zip(both, none, strict=True):
        assert without is None or all(without[name] is None for name in names)
        assert with_second == (without and without | {name: with_second[name] for name in names})
