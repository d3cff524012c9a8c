"""Training end to end on small files, and the pieces that keep its figures honest."""

import dataclasses
import gzip
import json
import lzma
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs import train_models
from jobs.training import tasks
from jobs.training.common import card as card_module
from jobs.training.common import data_files as files
from jobs.training.common import train
from jobs.training.common.data_files import read_rows, read_task
from jobs.training.common.examples import (
    Document,
    distinct,
    fold_of_units,
)
from jobs.training.common.metrics import (
    area_interval,
    area_under_roc,
    binary_figures,
    calibration_table,
    label_figures,
)
from jobs.training.common.task import DataFile, Settings, Task, TrainingError
from jobs.training.common.train import train_task
from jobs.training.toxicity.judge import digest_of
from jobs.training.toxicity.messages import grammar
from jobs.training.variety.documents import FILES as VARIETY_FILES
from jobs.training.variety.documents import LEAST, LINES
from udfs.files.artifacts import sha256_of
from udfs.models.fasttext_model import load_fasttext
from udfs.scorers import domain, toxicity
from udfs.tokens.tokenizer import token_lines
from udfs.tokens.tokens import tokens_of_lines

ARTIFACTS = Path(__file__).parents[2] / "conf" / "artifacts"
WORDS = {
    "book": "小说 章回 侠客",
    "dialogue": "你好 请问 谢谢",
    "education": "学校 老师 课程",
    "encyclopedia": "位于 始建 面积",
    "finance": "股票 基金 银行",
    "general": "天气 散步 周末",
    "law": "法院 判决 被告",
    "math": "方程 函数 证明",
    "medicine": "患者 症状 手术",
    "news": "记者 报道 消息",
    "technology": "程序 代码 芯片",
}
SPAM = "赌场 彩金 开户"


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_varieties(root: Path) -> None:
    """Lines of every variety that the task reads, as many as its documents need."""
    tunisian = {"tsac", "ta_seg", "tunizi", "barcha_yt", "thsab", "barcha_fb"}
    words = {
        ("Arab", True): "توا برشا ناس موش فاهمين شنوة صار",
        ("Arab", False): "دابا بزاف ديال الناس ما فاهمينش",
        ("Latn", True): "tawa barcha nes mouch fehmin chnowa sar",
        ("Latn", False): "le marché ouvre tard ce matin",
    }
    for file in VARIETY_FILES:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        ours = path.name.partition(".")[0] in tunisian
        rows = [
            {
                "text": f"{text} {'ابتثج'[i % 5]}",
                "script": script,
                "variety": "aeb" if ours else "x",
            }
            for (script, is_ours), text in words.items()
            for i in range(LEAST * LINES)
            if is_ours == ours
        ]
        path.write_bytes(lzma.compress("\n".join(map(json.dumps, rows)).encode()))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The labelled files, in their real shape: two sources a label, one page a site."""
    root = tmp_path / "data"
    curated = [
        {
            "text": f"{words.replace(' ', '')}第{100 + i}篇，{words.replace(' ', '、')}。",
            "label": label,
            "labels": ["news", label] if label == "finance" else [label],
            "source": f"{label}-{i % 2}",
        }
        for label, words in WORDS.items()
        for i in range(12)
    ]
    write(root / files.DOMAIN_TRAIN, curated)
    gold = [
        {
            "text": f"记者报道第{100 + i}条消息。",
            "label": "news",
            "labels": ["news"],
            "site": f"g{i}.cn",
        }
        for i in range(4)
    ]
    write(root / files.GOLD_PAGES, gold)
    pages = [
        {
            "text": f"{SPAM if junk else '天气 散步 周末'} 第{100 + i}页 " * (i + 30),
            "site": f"site{i}.com",
            "quality": 0 if junk else 1 + i % 4 // 2,
            "kind": "gambling" if junk else "blog",
            "toxic": int(junk),
            "domain": "general",
            "domains": ["general"],
        }
        for i in range(24)
        for junk in [i % 2 == 0]
    ]
    write(root / files.PAGES_READ, pages[:16])
    write(root / files.PAGES_LABELLED, [{**p, "domain": None} for p in pages[16:]])
    samples = [
        {"text": f"{text}第{100 + i}份", "label": label, "source": "cwt1"}
        for label, text in (("clean", "始建面积"), ("dirty", SPAM))
        for i in range(3)
    ]
    write(root / files.CWT1, samples)
    lines = [
        {"text": f"{text}{source}第{100 + i}句", "label": label, "source": source}
        for source in ("cold", "swsr", "toxicn")
        for label, text in ((1, "滚开 蠢货"), (0, "周末 散步"))
        for i in range(8)
    ]
    write(root / files.TOXIC_LINES, lines)
    write(root / files.UNLABELLED, [{"text": "水位公布之后"}])
    translated = [
        {"text": f"{text}第{100 + i}段", "labels": labels}
        for labels, text in (
            ("NA NE", "记者报道消息"),
            ("IP DS", "欢迎订购产品"),
            ("HI", "先洗净再切"),
        )
        for i in range(12)
    ]
    path = root / files.REGISTER_SILVER
    path.parent.mkdir(parents=True)
    path.write_bytes(lzma.compress("\n".join(map(json.dumps, translated)).encode()))
    originals = [f"{r['labels']}\t{r['text']}原文" for r in translated[::3]]
    (root / files.REGISTER_ORIGINALS).write_bytes(lzma.compress("\n".join(originals).encode()))
    write_varieties(root)
    whole = [
        {
            "html": f"html/page{i}.html",
            "site": f"g{i}.cn",
            "gold_kind": "gold",
            "declared_charset": "utf-8",
        }
        for i in range(4)
    ]
    write(root / files.HTML_PAGES, whole)
    (root / "extraction/html").mkdir()
    for i in range(4):
        html = (
            f"<title>消息{i}</title><p>首页 新闻</p><p>记者报道第{100 + i}条消息，始建位于此。</p>"
        )
        (root / f"extraction/html/page{i}.html").write_text(html, encoding="utf-8")
    return root


@pytest.fixture
def small_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"dim": 4, "bucket": 500, "cutoff": 400, "epoch": 20}
    small |= {"folds": 2, "inner_folds": 2, "keyword_steps": 4, "word_steps": 4, "bits": 12}
    for name in ("OFFERS_OF_FAMILY", "ORDINARY_OF_FAMILY"):
        monkeypatch.setattr(grammar, name, 2)
    for name, task in tasks.TASKS.items():
        known = {field.name for field in dataclasses.fields(task.recipe)}
        changes: dict[str, Any] = {k: v for k, v in small.items() if k in known}
        recipe = dataclasses.replace(task.recipe, **changes)
        monkeypatch.setitem(tasks.TASKS, name, dataclasses.replace(task, recipe=recipe))


@pytest.mark.usefixtures("small_recipes")
@pytest.mark.parametrize("task", sorted(tasks.TASKS))
def test_a_task_trains_and_a_second_run_gives_the_same_bytes(
    data: Path, tmp_path: Path, task: str
) -> None:
    for run in ("first", "second"):
        arguments = ["--data", str(data), "--output", str(tmp_path / run), "--task", task]
        assert train_models.main(arguments) == 0
    first = {p.relative_to(tmp_path / "first") for p in (tmp_path / "first").rglob("*.*")}
    names = (*tasks.TASKS[task].model_files, "metrics.json", "CARD.md")
    assert first == {Path(task) / name for name in names}
    for path in first:
        assert (tmp_path / "first" / path).read_bytes() == (tmp_path / "second" / path).read_bytes()


@pytest.mark.usefixtures("small_recipes")
def test_metrics_and_card_describe_the_model_that_lies_beside_them(
    data: Path, tmp_path: Path
) -> None:
    output = tmp_path / "artifacts"
    arguments = ["--data", str(data), "--output", str(output), "--task", "domain"]
    assert train_models.main(arguments) == 0
    assert [p.name for p in output.iterdir()] == ["domain"]
    metrics = json.loads((output / "domain" / "metrics.json").read_text(encoding="utf-8"))
    model = output / "domain" / metrics["model"]["file"]
    assert metrics["model"]["sha256"] == sha256_of(model)
    assert metrics["model"]["bytes"] == model.stat().st_size
    assert metrics["model"]["labels"] == list(domain.LABELS) == list(load_fasttext(model).labels)
    for entry in metrics["data"]:
        assert entry["sha256"] == sha256_of(data / entry["file"])
        assert entry["licence"]
    figures = metrics["figures"]
    assert figures["sources never seen"]["rows"] == 12 * len(WORDS)
    assert figures["sources never seen"]["main_within_labels"] > 0.8
    assert figures["main text of real pages, never trained on"]["rows"] == 4
    card = (output / "domain" / "CARD.md").read_text(encoding="utf-8")
    assert metrics["model"]["sha256"] in card
    assert metrics["command"] in card
    for heading in ("## Data", "## Recipe", "## Figures", "## Known weaknesses"):
        assert heading in card


@pytest.mark.usefixtures("small_recipes")
def test_lines_without_a_free_licence_are_measured_and_never_trained_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Document] = []
    fit = train.fit

    def watched(task: Any, documents: list[Document], folder: Path | None = None) -> Any:
        trained.extend(documents)
        return fit(task, documents, folder)

    monkeypatch.setattr(train, "fit", watched)
    arguments = ["--data", str(data), "--output", str(tmp_path / "out"), "--task", "toxicity"]
    assert train_models.main(arguments) == 0
    assert {"cold", "swsr"} <= {d.note for d in trained}
    assert not {"toxicn", "g0.cn"} & {name for d in trained for name in (d.note, d.unit)}
    metrics = json.loads((tmp_path / "out/toxicity/metrics.json").read_text(encoding="utf-8"))
    assert metrics["figures"]["lines of toxicn, never trained on"]["rows"] == 16


@pytest.mark.slow
@pytest.mark.usefixtures("small_recipes")
def test_toxicity_learns_in_rounds_what_a_judge_says(data: Path, tmp_path: Path) -> None:
    drugs, rude = "毒品 代购 包邮", "滚开 蠢货"
    crawl = [
        {"text": f"{SPAM} {drugs} 第{i}货 " * 30, "url": f"http://shop{i}.com/"} for i in range(16)
    ]
    write(data / "crawl.jsonl.gz", crawl)
    rows = read_rows(data / files.DOMAIN_TRAIN, ("text",))
    poems: list[dict[str, Any]] = [
        {"text": f"{rude} 第{100 + i}句", "label": "book", "labels": ["book"], "source": "poems"}
        for i in range(4)
    ]
    write(data / files.DOMAIN_TRAIN, rows + poems)
    verdicts = tmp_path / "verdicts.jsonl"
    with verdicts.open("w", encoding="utf-8") as file:
        for row in crawl + poems:
            label = "toxic" if row in crawl else "benign"
            file.write(json.dumps({"sha256": digest_of(row["text"]), "label": label}) + "\n")
    arguments = ["--data", str(data), "--task", "toxicity", "--output"]
    judged = ["--judge", str(verdicts), "--unlabelled", "crawl.jsonl.gz"]
    assert train_models.main([*arguments, str(tmp_path / "plain")]) == 0
    for run in ("rounds", "again"):
        assert train_models.main([*arguments, str(tmp_path / run), *judged]) == 0
    model = tmp_path / "rounds/toxicity/toxicity.ftz"
    assert model.read_bytes() == (tmp_path / "again/toxicity/toxicity.ftz").read_bytes()
    metrics = json.loads((tmp_path / "rounds/toxicity/metrics.json").read_text(encoding="utf-8"))
    assert metrics["recipe"]["judged_texts"] == metrics["recipe"]["judged_toxic"] == 16
    assert metrics["recipe"]["hard_negatives"] == 4
    assert metrics["recipe"]["verdicts_sha256"] == sha256_of(verdicts)
    assert metrics["command"].endswith("--judge VERDICTS --unlabelled crawl.jsonl.gz")
    assert metrics["data"][-1]["rows"] == 16

    plain = json.loads((tmp_path / "plain/toxicity/metrics.json").read_text(encoding="utf-8"))
    assert metrics["recipe"]["documents"] == plain["recipe"]["documents"] + 16 + 4
    assert metrics["figures"].keys() == plain["figures"].keys(), "what is judged is not measured"
    (line,) = token_lines([rude], [toxicity.bundled_tokenizer()])[0]
    before, after = (
        toxicity.score_toxicity(tokens_of_lines([line]), load_fasttext(path))[0]["score"]
        for path in (tmp_path / "plain/toxicity/toxicity.ftz", model)
    )
    assert after < before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "domain", "--judge", "v.jsonl"], "--judge is for the task toxicity"),
        (["--task", "quality", "--documents", "d.jsonl"], "--documents is for the task domain"),
        (["--judge-model", "folder"], "--judge-model needs --judge"),
        (["--judge-template", "t.txt"], "--judge-template needs --judge-model"),
        (
            ["--task", "quality", "--checkpoints", "folder"],
            "--checkpoints is for the task quality-bert or quality-bert-stages",
        ),
        (["--task", "domain", "--teacher-texts", "9"], "--teacher-texts is for the task quality"),
    ],
)
def test_an_option_that_nothing_would_come_of_is_refused(
    tmp_path: Path, options: list[str], message: str, capsys: Any
) -> None:
    with pytest.raises(SystemExit):
        train_models.main(["--data", str(tmp_path), "--output", str(tmp_path), *options])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"\xff{text}"])
def test_a_template_that_cannot_be_read_is_named(
    tmp_path: Path, content: bytes | None, capsys: Any
) -> None:
    template = tmp_path / "question.txt"
    if content is not None:
        template.write_bytes(content)
    options = ["--task", "toxicity", "--judge", str(tmp_path / "v.jsonl"), "--judge-model", "m"]
    options += ["--judge-template", str(template)]
    assert train_models.main(["--data", str(tmp_path), "--output", str(tmp_path), *options]) == 2
    assert f"--judge-template {template}: cannot be read" in capsys.readouterr().err


@pytest.mark.usefixtures("small_recipes")
def test_rules_and_model_of_each_document_are_written_down(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    arguments = ["--data", str(data), "--output", str(tmp_path / "out"), "--task", "domain"]
    for _ in range(2):
        assert train_models.main([*arguments, "--documents", str(path)]) == 0
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    metrics = json.loads((tmp_path / "out/domain/metrics.json").read_text(encoding="utf-8"))
    for kind, name in (
        ("curated", "sources never seen"),
        ("gold", "main text of real pages, never trained on"),
    ):
        figures = metrics["figures"][name]
        asked = [row for row in rows if row["kind"] == kind]
        assert len(asked) == figures["rows"]
        agree = sum(row["agrees"] for row in asked) / len(asked)
        assert agree == pytest.approx(figures["rules_and_model_agree"], abs=1e-4)
        right = sum(row["model_labels"][0] == row["labels"][0] for row in asked) / len(asked)
        assert right == pytest.approx(figures["main_accuracy"], abs=1e-4)
        assert all(row["agrees"] == (row["rule_label"] == row["model_labels"][0]) for row in asked)


@pytest.mark.usefixtures("small_recipes")
def test_proposals_are_written_and_nothing_is_trained(
    data: Path, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "proposals.tsv"
    arguments = ["--data", str(data), "--output", str(tmp_path / "out"), "--task", "domain"]
    assert train_models.main([*arguments, "--propose-keywords", str(path)]) == 0
    head = path.read_text(encoding="utf-8").splitlines()[0]
    assert head == "round\tlabel\tkeyword\tdocuments\tothers\tunits\tlog_odds"
    assert capsys.readouterr().out.startswith("round 1: F1 ")
    assert not (tmp_path / "out").exists()


class CountedWords:
    """A model that is no fastText file: how often each word came."""

    labels = ("known",)

    def __init__(self, path: Path) -> None:
        self.words = dict.fromkeys(path.read_text(encoding="utf-8").split(), 1)
        self.beside = path.with_name("beside.txt").read_text(encoding="utf-8")


def test_a_task_may_fit_load_and_ask_a_model_of_its_own(tmp_path: Path) -> None:
    asked_of: list[tuple[set[str], str]] = []

    def fit(documents: Any, path: Path, recipe: Settings) -> dict[str, Any]:
        assert recipe.folds == 3
        path.write_text(" ".join(d.line for d in documents), encoding="utf-8")
        path.with_name("beside.txt").write_text("另", encoding="utf-8")
        return {"words": len(documents)}

    def answers(model: CountedWords, found: dict[str, Any], documents: Any) -> Any:
        assert found["words"] == len(model.words)
        assert model.beside == "另"
        asked_of.extend((set(model.words), d.line) for d in documents)
        return np.array([[d.line in model.words] for d in documents], dtype=float)

    rows = [{"text": f"词{i}", "page": f"{i}.html"} for i in range(6)]
    write(tmp_path / "rows.jsonl.gz", rows)
    for i in range(6):
        (tmp_path / f"{i}.html").write_text(f"<p>{i}", encoding="utf-8")
    file = DataFile("rows.jsonl.gz", ("text", "page"), "ours", attachment="page")
    assert read_rows(tmp_path / file.path, file.needs, "page")[5]["bytes"] == b"<p>5"
    task = Task(
        name="counted",
        files=(file,),
        documents=lambda rows: [
            Document(r["text"], ("known",), r["text"], "rows") for r in rows[file.path]
        ],
        only_measured=frozenset(),
        recipe=Settings(folds=3),
        figures=lambda documents, model, table: {"seen": {"share": float(table.mean())}},
        purpose="",
        split="",
        weaknesses="",
        fit=fit,
        written=("words.txt", "beside.txt"),
        load=CountedWords,
        answers=answers,
    )
    read = read_task(task, tmp_path)
    metrics = train_task(task, read, tmp_path, tmp_path / "out")
    assert all(line not in words for words, line in asked_of)
    assert sorted(line for _, line in asked_of) == [f"词{i}" for i in range(6)]
    assert metrics["figures"] == {"seen": {"share": 0.0}}
    assert metrics["recipe"]["words"] == 6
    written = {
        "file": "beside.txt",
        "bytes": 3,
        "sha256": sha256_of(tmp_path / "out/counted/beside.txt"),
    }
    assert metrics["other_files"] == [written]
    card = (tmp_path / "out/counted/CARD.md").read_text(encoding="utf-8")
    assert written["sha256"] in card
    (data,) = metrics["data"]
    assert f"attachments `{data['attachments_sha256']}`" in card
    (tmp_path / "5.html").write_text("<p>other", encoding="utf-8")
    changed = train_task(task, read_task(task, tmp_path), tmp_path, tmp_path / "out")
    assert changed["data"][0]["sha256"] == data["sha256"]
    assert changed["data"][0]["attachments_sha256"] != data["attachments_sha256"]
    (tmp_path / "5.html").unlink()
    with pytest.raises(TrainingError, match=r"rows\.jsonl\.gz: cannot be read"):
        read_task(task, tmp_path)


@pytest.mark.usefixtures("small_recipes")
def test_models_are_evaluated_and_another_file_or_figure_is_told(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    never_seen = "lines of toxicn, never trained on"
    task = dataclasses.replace(tasks.TASKS["toxicity"], headlines=((never_seen, "auc"),))
    monkeypatch.setitem(tasks.TASKS, "toxicity", task)
    out = tmp_path / "out"
    arguments = ["--output", str(out), "--task", "toxicity"]
    assert train_models.main([*arguments, "--data", str(data)]) == 0
    metrics = json.loads((out / "toxicity/metrics.json").read_text(encoding="utf-8"))
    capsys.readouterr()
    assert train_models.main([*arguments, "--evaluate"]) == 0
    table, expected = capsys.readouterr().out.strip().split("\n\n")
    head, line, every = table.splitlines()
    sizes = [file["bytes"] for file in (metrics["model"], *metrics["other_files"])]
    size, auc = f"{sum(sizes):,}", str(metrics["figures"][never_seen]["auc"])
    assert head.split() == ["model", "bytes", "measured", "on", "measure", "value"]
    assert line.split() == ["toxicity", size, *never_seen.split(), "auc", auc]
    assert every.split() == ["all", size]
    (claim,) = (c for c in metrics["calibration"].items() if c[1]["is_expected"])
    assert claim[0] == "crawl pages of sites and templates never seen: the page is toxic"
    first, *_ = claim[1]["thresholds"]
    assert first["rows"] / claim[1]["rows"] == pytest.approx(first["share_of_rows"], abs=1e-4)
    row = expected.splitlines()[1]
    assert row.startswith(f"toxicity  0.1   {first['share_of_rows']:.1%}")
    assert row.endswith(claim[0])
    card = (out / "toxicity/CARD.md").read_text(encoding="utf-8")
    assert f"## What a score means\n\n{card_module.CALIBRATION}\n\n### {claim[0]}" in card
    assert train_models.main([*arguments, "--evaluate", "--data", str(data)]) == 0
    assert "never trained on: 2 tables, all equal" in capsys.readouterr().out

    path = out / "toxicity/metrics.json"
    path.write_text(json.dumps(metrics).replace(f'"auc": {auc}', '"auc": 0.999'), encoding="utf-8")
    assert train_models.main([*arguments, "--evaluate", "--data", str(data)]) == 1
    assert f"metrics.json: {never_seen}: " in capsys.readouterr().err
    (out / "toxicity/toxicity.ftz").write_bytes(b"another")
    assert train_models.main([*arguments, "--evaluate"]) == 1
    assert "toxicity.ftz: sha256 " in capsys.readouterr().err
    assert train_models.main(["--output", str(tmp_path / "none"), "--evaluate"]) == 1
    assert "metrics.json" in capsys.readouterr().err


def test_bundled_cards_are_those_of_their_metrics(tmp_path: Path, capsys: Any) -> None:
    names = [*tasks.TASKS, "quality-bert"]
    for name in names:
        folder = name.replace("-", "_")
        (tmp_path / folder).mkdir()
        shutil.copy(ARTIFACTS / folder / "metrics.json", tmp_path / folder)
    assert train_models.main(["--cards", "--output", str(tmp_path), "--task", *names]) == 0
    for name in names:
        card = Path(name.replace("-", "_")) / "CARD.md"
        assert (tmp_path / card).read_bytes() == (ARTIFACTS / card).read_bytes()
    metrics = tmp_path / "quality" / "metrics.json"
    metrics.write_text("{", encoding="utf-8")
    assert train_models.main(["--cards", "--output", str(tmp_path), "--task", "quality"]) == 2
    assert f"{metrics}: cannot be read" in capsys.readouterr().err


def test_training_needs_data(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as refusal:
        train_models.main(["--output", str(tmp_path)])
    assert refusal.value.code == 2
    assert "--data is needed" in capsys.readouterr().err


def test_a_missing_file_is_named(data: Path, tmp_path: Path, capsys: Any) -> None:
    (data / files.TOXIC_LINES).unlink()
    assert train_models.main(["--data", str(data), "--output", str(tmp_path / "out")]) == 2
    assert str(data / files.TOXIC_LINES) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no gzip", "cannot be read"),
        (gzip.compress(b'{"text": "a"}\n' * 99, mtime=0)[:20], "cannot be read"),
        (gzip.compress(b"{]\n", mtime=0), "expected JSON lines"),
        (gzip.compress(b'["text"]\n', mtime=0), "line 1: expected a JSON object"),
        (
            gzip.compress(b'{"text": "a", "label": 1}\n{"text": "b"}\n', mtime=0),
            "line 2: missing label; every line needs text, label",
        ),
        (gzip.compress(b"", mtime=0), "is empty"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "lines.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=f"lines.jsonl.gz: {message}"):
        read_rows(path, ("text", "label"))


def test_an_unknown_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as refusal:
        train_models.main(["--data", str(tmp_path), "--output", str(tmp_path), "--task", "mood"])
    assert refusal.value.code == 2


def documents_of(counts: dict[tuple[str, str], int]) -> list[Document]:
    return [
        Document(f"词语 {unit} {label} {i}", (label,), unit, "curated")
        for (unit, label), count in counts.items()
        for i in range(count)
    ]


def test_folds_hold_whole_units_and_leave_every_label_something_to_learn_from() -> None:
    documents = documents_of(
        {("a", "law"): 9, ("b", "law"): 4, ("c", "news"): 7, ("d", "news"): 2, ("d", "law"): 1}
    )
    folds = fold_of_units(documents, 2)
    assert set(folds) == {"a", "b", "c", "d"}
    for fold in (0, 1):
        left = {d.labels[0] for d in documents if folds[d.unit] != fold}
        assert left == {"law", "news"}
    assert fold_of_units(documents[::-1], 2) == folds


def test_copies_of_a_text_count_once() -> None:
    first = Document("同样 词语", ("news",), "a", "crawl")
    twice = dataclasses.replace(first, copies=2)
    assert distinct([first, dataclasses.replace(first, unit="b")]) == [twice]


def test_area_under_roc_counts_pairs() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(60) < 0.4
    scores = rng.integers(0, 8, 60) / 8
    pairs = [(p, n) for p in scores[positive] for n in scores[~positive]]
    expected = sum((p > n) + (p == n) / 2 for p, n in pairs) / len(pairs)
    assert area_under_roc(positive, scores) == pytest.approx(expected)
    assert np.isnan(area_under_roc(np.array([True]), np.array([0.5])))


def test_the_interval_of_an_area_knows_that_pages_of_a_site_are_alike() -> None:
    rng = np.random.default_rng(1)
    truth = (np.arange(300) % 3 == 0).tolist()
    scores = (np.array(truth) + rng.normal(0, 1, 300)).tolist()
    apart = area_interval(truth, scores, [str(i) for i in range(300)], draws=400)
    alike = area_interval(truth * 9, scores * 9, [str(i) for i in range(300)] * 9, draws=400)
    assert apart[0] < area_under_roc(np.array(truth), np.array(scores)) < apart[1]
    assert apart == alike
    narrow = area_interval(truth * 9, scores * 9, [str(i) for i in range(2700)], draws=400)
    assert narrow[1] - narrow[0] < (apart[1] - apart[0]) / 2


def test_calibration_counts_the_positives_among_like_scores() -> None:
    table = calibration_table([False, True, True, True], [0.1, 0.15, 0.9, 1.0])
    assert table == [
        {"score": "0.0 to 0.2", "rows": 2, "mean_score": 0.125, "positive_share": 0.5},
        {"score": "0.8 to 1.0", "rows": 2, "mean_score": 0.95, "positive_share": 1.0},
    ]


def test_figures_of_a_threshold() -> None:
    figures = binary_figures([True, True, False, False], [0.9, 0.4, 0.6, 0.1], [0.5, 0.95])
    assert figures["auc"] == 0.75
    assert figures["at"][0] == {
        "threshold": 0.5,
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
        "false_alarm_share": 0.5,
    }
    assert figures["at"][1]["precision"] is None
    assert binary_figures([], [], [0.5])["auc"] is None


def test_figures_of_labels() -> None:
    figures = label_figures(
        [["finance", "news"], ["law"]], [["news"], ["law", "news"]], ["finance", "law", "news"]
    )
    assert figures["main_accuracy"] == 0.5
    assert figures["main_within_labels"] == 1.0
    assert figures["micro_f1"] == round(2 * 2 / (3 + 3), 4)
    assert figures["labels"]["finance"]["f1"] == 0.0
    assert figures["labels"]["news"] == {
        "rows": 1, "predicted": 2, "hits": 1, "precision": 0.5, "recall": 1.0, "f1": 0.6667,
    }  # fmt: skip
