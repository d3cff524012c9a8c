"""Measure clean text of a language, and propose a language pack.

    python -m jobs.languages.measure_language --tag ka --labels ka --text ka.jsonl.xz \\
        --like zh --like-text zh.jsonl.gz --against ru=ru.txt --output mine/language.toml

Clean text is one document a line: plain in .txt, JSON with "text" (and "source") in .jsonl; with
.gz, .xz or .zst. The texts of a run are measured with --from OUTPUT. Scripts, tokenizer, stop
words, sentence marks and words that no other language has are measured; a limit gets the value that
rejects the share of texts that the limit of --like rejects of --like-text.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from jobs.catalogue.lock import load_lock
from jobs.config import Config, ConfigError, load_config, toml_value
from jobs.languages.counts import LIKE, OWN
from jobs.languages.proposal import LanguageRequest, measured, pack_text
from jobs.pipeline.application import application, command_parser
from jobs.pipeline.extraction import check_settings
from jobs.pipeline.failures import failures_named
from jobs.run.console import say
from jobs.run.request import EXTRACT_DOCUMENTS, Run, select_stage
from jobs.run.splits import planned_waves
from jobs.run.store import Store
from jobs.tables import DOCUMENTS, check_selection_name, corpus_of
from udfs.files.clean_texts import CLEAN_TEXT, UnreadableText, clean_texts, read_lines
from udfs.files.output_files import atomic_file
from udfs.files.uris import InputNotFound, expand_inputs, redact

NAME = "measure_language"
_CHECKED_FILES = 3
"""Files of an argument whose first line is read before Spark starts."""

Files = list[tuple[str, str]]
"""Language and URI of each file."""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    arguments = _parser().parse_args(argv)
    with application(NAME, is_verbose=arguments.verbose) as command:
        request = _request(arguments)
        lock = load_lock(request.like, arguments.config)
        labelled = replace(request.like.extract, languages=request.labels)
        check_settings(replace(request.like, extract=labelled), lock)
        files = _files(arguments)
        store = None if arguments.source is None else _store_of(arguments)
        if arguments.plan:
            of_run = "" if store is None else f", and the texts of {redact(store.root)}"
            print(f"{NAME}: {len(files):,} files{of_run}")
            return command.status
        root = Store.at(str(arguments.output.absolute().parent)) if store is None else store
        run = Run(request.like, arguments.config, root, {}, lock, is_verbose=arguments.verbose)
        with command.spark(run, None) as spark, failures_named(NAME):
            documents = _documents(spark, files, arguments.join)
            if store is not None:
                documents = documents.unionByName(_of_run(spark, store, arguments.name))
            documents = documents.persist(StorageLevel.DISK_ONLY)
            found = measured(documents, request)
            text = pack_text(request, found)
            check_pack(text)
            arguments.output.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(str(arguments.output.absolute())) as file:
                file.write(text.encode())
        say(
            "language_measured",
            f"{arguments.output}: {found.documents[OWN]:,} documents measured, "
            f"{found.unreadable:,} lines of all files without a text",
            documents=found.documents[OWN],
            unreadable=found.unreadable,
        )
    return command.status


def check_pack(text: str) -> Config:
    """Load the text of a pack.

    Raises:
        ConfigError: it is no pack.
    """
    with TemporaryDirectory() as folder:
        Path(folder, "language.toml").write_text(text, encoding="utf-8")
        return load_config(None, [f"language={toml_value(folder)}"])


def _parser() -> ArgumentParser:
    parser = command_parser(NAME, __doc__)
    texts = parser.add_mutually_exclusive_group(required=True)
    texts.add_argument(
        "--from", dest="source", metavar="OUTPUT", help="a run: its corpus, or its documents"
    )
    texts.add_argument("--text", nargs="+", metavar="FILE", help="clean text of the language")
    parser.add_argument("--name", metavar="NAME", help="with --from: a named selection")
    parser.add_argument("--tag", required=True, help="BCP 47 tag of the language")
    parser.add_argument(
        "--labels", nargs="+", required=True, help="labels that lid.176 gives to the language"
    )
    parser.add_argument(
        "--like", default="zh", metavar="PACK", help="the pack whose limits are carried over; zh"
    )
    parser.add_argument(
        "--like-text", nargs="+", required=True, metavar="FILE", help="clean text of its language"
    )
    parser.add_argument(
        "--against",
        nargs="+",
        default=[],
        metavar="NAME=FILE",
        help="clean text of another language, for words that it does not have; may be repeated",
        action="extend",
    )
    parser.add_argument(
        "--join",
        type=int,
        default=1,
        metavar="N",
        help="lines of a file of --text and --against that are one document; 1",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE.toml", help="a new file: the pack"
    )
    return parser


def _request(arguments: Namespace) -> LanguageRequest:
    """Check the request, but its files.

    Raises:
        ConfigError: a value is wrong.
    """
    if arguments.output.exists():
        raise ConfigError(f"--output {arguments.output}: is there already")
    if arguments.join < 1:
        raise ConfigError(f"--join {arguments.join}: expected 1 or more")
    if arguments.name is not None and arguments.source is None:
        raise ConfigError("--name: needs --from OUTPUT")
    like = load_config(arguments.config, [*arguments.set, f"language={toml_value(arguments.like)}"])
    return LanguageRequest(arguments.tag, tuple(arguments.labels), like)


def _files(arguments: Namespace) -> Files:
    """Find the files, and read a line of the first ones of each argument.

    Raises:
        ConfigError: there is none, or it is no clean text.
    """
    given = [(OWN, "--text", one) for one in arguments.text or ()]
    given += [(LIKE, "--like-text", one) for one in arguments.like_text]
    for one in arguments.against:
        name, is_named, uri = one.partition("=")
        if not is_named or not name or not uri or name in (OWN, LIKE):
            raise ConfigError(f"--against {one}: expected NAME=FILE, NAME not {OWN} or {LIKE}")
        given.append((name, "--against", uri))
    files: Files = []
    for language, argument, uri in given:
        try:
            found = [file.uri for file in expand_inputs([uri])]
            for path in found[:_CHECKED_FILES]:
                first = next(read_lines(path), None)
                if first is None or first.text is None:
                    what = "is empty" if first is None else "line 1 has no text"
                    raise UnreadableText(f"{redact(path)}: {what}")
        except (InputNotFound, UnreadableText, OSError) as error:
            raise ConfigError(f"{argument}: {error}") from error
        files += [(language, path) for path in found]
    return files


def _store_of(arguments: Namespace) -> Store:
    """Return the output of --from.

    Raises:
        ConfigError: it is none, or has not what --name says.
    """
    store = Store.at(arguments.source)
    name = None if arguments.name is None else check_selection_name(arguments.name)
    if not store.commits(select_stage(name)) and (
        name is not None or not store.commits(EXTRACT_DOCUMENTS)
    ):
        raise ConfigError(
            f"--from {redact(arguments.source)}: has no "
            + ("corpus and no documents" if name is None else f"selection {name}")
        )
    return store


def _of_run(spark: SparkSession, store: Store, name: str | None) -> DataFrame:
    """Return the texts of a run as rows of CLEAN_TEXT; a source is a host."""
    if store.commits(select_stage(name)):
        table, host = store.read(spark, corpus_of(name)), "source_domain"
    else:
        table, host = store.read(spark, DOCUMENTS, sorted(planned_waves(store))), "host"
    return table.select(F.lit(OWN).alias("language"), F.col(host).alias("source"), "text")


def _documents(spark: SparkSession, files: Files, join: int) -> DataFrame:
    """Read files as rows of CLEAN_TEXT: a task a file, then in even parts. Shuffles: the texts."""
    rows = [(language, uri, 1 if language == LIKE else join) for language, uri in files]
    listed = spark.createDataFrame(rows, "language string, uri string, lines int")
    read = listed.repartition(len(files), "uri").mapInArrow(clean_texts, CLEAN_TEXT)
    return read.repartition(max(len(files), 2 * spark.sparkContext.defaultParallelism))


if __name__ == "__main__":
    sys.exit(main())
