"""Keywords that confident predictions propose: which words, and when the rounds end."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.training.common.examples import Document
from jobs.training.domain import proposals as domain_proposals
from jobs.training.domain.fit import DomainRecipe
from jobs.training.domain.proposals import ProposalRules, proposed, relabelled, rounds
from udfs.scorers.domain import LABELS

RULES = ProposalRules(
    held_back=3, most=2, least_documents=4, least_units=2, least_log_odds=1.0, most_rounds=3
)
WORDS = {"finance": "股票 基金", "law": "法院 被告", "medicine": "患者 症状"}


def documents(units: int = 3) -> list[Document]:
    """Sources of each label: with its keywords, a word of the subject, one of the source's own, and
    one of all."""
    return [
        Document(
            f"{words} {label}词 {label}源{unit} 的 篇{label}{unit}{number}",
            (label,),
            f"{label}-{unit}",
            "curated",
        )
        for label, words in WORDS.items()
        for unit in range(units)
        for number in range(6)
    ]


def chances_of(asked: list[Document], confident: float = 0.95) -> np.ndarray:
    chances = np.full((len(asked), len(LABELS)), 0.01)
    for row, document in zip(chances, asked, strict=True):
        row[LABELS.index(document.labels[0])] = confident
    return chances


def test_words_of_a_label_are_proposed_but_no_keywords_nor_the_style_of_one_source() -> None:
    asked = documents()
    keywords = {word: {label: 1.0} for label, words in WORDS.items() for word in words.split()}
    found = proposed(asked, chances_of(asked), keywords, RULES)
    assert [(p.label, p.keyword) for p in found] == [(label, f"{label}词") for label in WORDS]
    first = found[0]
    assert (first.documents, first.others, first.units) == (18, 0, 3)
    assert first.log_odds == pytest.approx(np.log(18.5 / 0.5) - np.log(0.5 / 36.5))


def test_unsure_predictions_propose_nothing_and_a_label_gets_no_more_than_its_share() -> None:
    asked = documents()
    assert proposed(asked, chances_of(asked, 0.9), {}, RULES) == []
    found = proposed(asked, chances_of(asked), {}, RULES)
    assert [p.label for p in found] == [label for label in WORDS for _ in range(2)]
    assert found == proposed(asked[::-1], chances_of(asked[::-1]), {}, RULES)


def test_a_document_gets_the_label_that_it_is_confidently_of() -> None:
    asked = documents(1)
    chances = chances_of(asked)
    law = LABELS.index("law")
    chances[0, law], chances[1, law] = 0.96, 0.94  # above its own, below
    found = relabelled(asked, chances)
    assert found[0].labels == ("finance", "law")
    assert found[1:] == asked[1:]


def test_rounds_end_where_the_f1_does_not_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = iter([1.0, 1.2, 1.2])
    known: list[set[str]] = []
    monkeypatch.setattr(domain_proposals, "set_f1", lambda *_: next(figures))

    def every_word(asked: object, chances: object, keywords: dict[str, object], rules: object):  # type: ignore[no-untyped-def]
        known.append(set(keywords))
        return [domain_proposals.Proposal("law", f"词{len(known)}", 9, 0, 2, 4.0)]

    monkeypatch.setattr(domain_proposals, "proposed", every_word)
    recipe = DomainRecipe(inner_folds=2, min_lines=2, keyword_steps=2, word_steps=2)
    found = list(rounds(documents(6), {"法院": {"law": 1.0}}, recipe, RULES))
    assert [r.f1 for r in found] == [0.5, 0.6, 0.6]
    assert [len(r.proposals) for r in found] == [1, 1, 0]
    assert known == [{"法院"}, {"法院", "词1"}]


def test_what_is_held_back_proposes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Document] = []
    monkeypatch.setattr(domain_proposals, "proposed", lambda asked, *_: seen.extend(asked) or [])
    recipe = DomainRecipe(inner_folds=2, min_lines=2, keyword_steps=2, word_steps=2)
    (only,) = rounds(documents(6), {"法院": {"law": 1.0}}, recipe, RULES)
    assert 0 <= only.f1 <= 1
    assert 0 < len({d.unit for d in seen}) < 18
