"""The toxicity model's fit: what it learns, where its scores begin, and what its file says."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from jobs.training.common.examples import Document
from jobs.training.toxicity.fit import (
    ToxicityRecipe,
    Windows,
    even_threshold,
    fit_toxicity,
    token_weights,
    window_discount,
)
from jobs.training.toxicity.perplexity_fit import CLEAN, HARMFUL, load_language_models
from jobs.training.toxicity.word_space import WordSpace
from udfs.models.fasttext_model import load_fasttext
from udfs.scorers.toxicity import (
    BENIGN,
    TOXIC,
    WINDOW_TOKENS,
    ToxicityRules,
    discounted_share,
    raised,
    score_toxicity,
)
from udfs.tokens.tokens import tokens_of_lines

RECIPE = ToxicityRecipe(inner_folds=2, min_lines=2)
PLAIN = [f"词{number}" for number in range(300)]
RUDE = ["滚开", "蠢货", "闭嘴"]
SPAM = ["赌场", "彩金", "开户", "投注"]


def documents() -> list[Document]:
    rng = random.Random(1)
    made = []
    for number in range(80):
        line = rng.sample(PLAIN, 8)
        page = rng.sample(PLAIN, 150)
        is_toxic = number % 2 == 1
        if is_toxic:
            line += rng.sample(RUDE, 2)
            page[40:40] = rng.sample(SPAM, 3)
        label = (TOXIC if is_toxic else BENIGN,)
        made.append(Document(" ".join(line), label, f"cold {number % 10}", "lines"))
        made.append(Document(" ".join(page), label, f"{number}.cn", "crawl"))
        made.append(Document(" ".join(rng.sample(PLAIN, 60)), (BENIGN,), "essays", "curated"))
    return made


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toxicity") / "toxicity.ftz"
    found = fit_toxicity(documents(), path, RECIPE)
    assert found["documents"] == 3 * 80
    return path


def scores(path: Path, *lines: str) -> list[float]:
    records = score_toxicity(tokens_of_lines(lines), load_fasttext(path))
    return [record["score"] for record in records]


def test_insults_and_offers_are_toxic_in_lines_and_in_long_pages(model: Path) -> None:
    clean = " ".join(PLAIN[:20])
    page = " ".join([*PLAIN[:150], *SPAM, *PLAIN[150:]])
    answers = scores(model, f"{clean} 滚开 蠢货", page, clean, " ".join(PLAIN), "没 见过")
    assert np.array(answers[:2]).min() > 0.5
    assert np.array(answers[2:]).max() < 0.5


def test_label_one_is_for_hardly_any_clean_page(model: Path) -> None:
    pages = [d for d in documents() if d.kind == "crawl"]
    label = np.array(scores(model, *(d.line for d in pages))) >= 0.99
    truth = np.array([d.labels[0] == TOXIC for d in pages])
    assert label[~truth].mean() <= 0.03
    assert label[truth].mean() > 0.3


def test_the_same_documents_give_the_same_bytes(model: Path, tmp_path: Path) -> None:
    fit_toxicity(documents(), tmp_path / "again.ftz", RECIPE)
    assert (tmp_path / "again.ftz").read_bytes() == model.read_bytes()


def test_windows_are_those_of_scoring() -> None:
    long = " ".join(PLAIN[: WINDOW_TOKENS * 2])
    lines = ["词1 词2", long, "词3"]
    windows = Windows.of(lines, WordSpace((*PLAIN, "</s>")))
    assert windows.owners.tolist() == [0, 1, 1, 1, 2]
    assert windows.sizes.tolist() == [3, *[WINDOW_TOKENS + 1] * 3, 2]
    assert windows.worst(np.array([0.0, 1.0, 3.0, 3.0, -1.0])).tolist() == [0, 2, 4]


def test_weights_of_tokens_say_what_the_classes_are_of() -> None:
    examples = documents()
    lines = [example.line for example in examples]
    space = WordSpace.of(lines, 2)
    weights = token_weights(space.rows(tokens_of_lines(lines)), examples, RECIPE)
    by_word = dict(zip(space.words, weights.tolist(), strict=True))
    others = max(by_word[word] for word in PLAIN)
    assert min(by_word[word] for word in RUDE + SPAM) > others


def test_as_many_are_above_the_threshold_as_are_true() -> None:
    scores = np.array([1.0, -1.0, 3.0, -2.0, 2.0])
    assert even_threshold(scores, np.array([0, 0, 1, 0, 1], dtype=bool)) == 1.5
    assert even_threshold(scores, np.array([1, 0, 1, 1, 0], dtype=bool)) == 0.0
    assert even_threshold(scores, np.ones(5, dtype=bool)) == -2.0


def test_offers_are_judged_by_their_perplexity_too(tmp_path: Path) -> None:
    rng = random.Random(2)
    made = []
    for number in range(60):
        is_offer = number % 2 == 1
        words = rng.sample(PLAIN, 90)
        text = "，".join("".join(words[at : at + 6]) for at in range(0, 90, 6))
        if is_offer:
            text += "".join(f"，{rng.choice(['澳门', '皇冠'])}赌场开户送彩金" for _ in range(15))
        label, note = (TOXIC, HARMFUL) if is_offer else (BENIGN, CLEAN)
        page = Document(" ".join(words), (label,), f"{number}.cn", "crawl", text=text, note=note)
        rude = Document(
            " ".join([*rng.sample(PLAIN, 8), *(RUDE if is_offer else [])]),
            (label,), f"cold {number % 10}", "lines",
        )  # fmt: skip
        made += [page, rude]
    path = tmp_path / "own.ftz"
    found = fit_toxicity(made, path, RECIPE)
    pages = [d for d in made if d.kind == "crawl"]
    models = load_language_models(tmp_path / "harmful.ng")
    rules = ToxicityRules(window_discount=found["window_discount"])
    tokens = tokens_of_lines([d.line for d in pages])
    records = score_toxicity(tokens, load_fasttext(path), rules)
    perplexities = models.perplexities(pages)
    truth = np.array([d.labels[0] == TOXIC for d in pages])
    assert perplexities[truth].max() < 0.95 < perplexities[~truth].min()
    by_words = np.array([r["score"] for r in records]) >= 0.5
    by_both = np.array([r["score"] for r in raised(records, perplexities.tolist())]) >= 0.5
    # The words of a page are those of any other here.
    assert (by_both == truth).mean() > 0.95 > (by_words == truth).mean()


def test_the_discount_leaves_as_many_pages_as_are_toxic() -> None:
    space = WordSpace((*PLAIN, "</s>"))
    pages = [" ".join(PLAIN[:count]) for count in (20, 300, 300, 150, 150)]
    windows = Windows.of(pages, space)
    labels = [BENIGN, TOXIC, BENIGN, TOXIC, BENIGN]
    examples = [Document(p, (label,), p, "crawl") for p, label in zip(pages, labels, strict=True)]
    worst = np.array([-1.0, 4.0, 1.0, 3.0, 0.5])
    logits = worst[windows.owners]
    discount = window_discount(windows, logits, np.zeros(5), examples)
    counts = np.bincount(windows.owners)
    judged = worst - discount * np.log(counts) * discounted_share(worst)
    assert discount > 0
    assert (judged > 0).tolist() == [False, True, False, True, False]
    assert window_discount(windows, logits - 10, np.zeros(5), examples) == 0.0
    # By what perplexity adds as well; a text of harmless words alone is discounted whole.
    raised_all = window_discount(windows, logits - 10, np.full(5, 10.0), examples)
    assert 0 < raised_all < discount


def test_pages_that_only_ngrams_are_counted_of_are_no_examples(tmp_path: Path) -> None:
    more = [Document("网页 正文", (BENIGN,), f"{n}.net", "html", text="网页正文") for n in range(5)]
    found = fit_toxicity([*documents(), *more], tmp_path / "own.ftz", RECIPE)
    assert found["documents"] == 3 * 80
    assert not (tmp_path / "harmful.ng").exists()
