"""What each rule of each pack of pairs rejects of the image places of real Chinese pages.

    python -m tests.bench.pair_pack_rates --data DIR [--pack NAME_OR_FILE ...] [--show 20]

DIR/extraction has the pages. Their pictures are not there, so that rules of images are not tried;
an img element without a declared size passes the rules of declared sizes. A cell is the number of
places that a rule rejects, and in brackets of those that no other rule does. --show prints texts
that the last pack keeps.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from jobs.config import bundled_packs, load_config
from jobs.transforms.images.pair_rules import (
    MORE,
    PAGE,
    TEXT_PLACES,
    URL_PLACES,
    pair_frame_type,
    with_pair_reasons,
)
from tests.bench.pack_rates import LEXICON, local_session
from udfs.charset.decode import decode
from udfs.html.page_text import HtmlLimits, extract_pages
from udfs.lists.lexicon import read_lexicon
from udfs.measures.pair_texts import pair_measures
from udfs.measures.schema import PAIR_MEASURES_TYPE
from udfs.pairs.places import image_places
from udfs.pairs.records import MeasuredPlaces, places_array
from udfs.pairs.rows import PAIR_TEXT
from udfs.pairs.text_measures import measure_pair_texts

_NO_URL = "http://unknown.invalid/a/page.html"  # of pages whose URL is not known


def places_of(data: Path) -> pa.Table:
    """The image places of all pages, with the columns of table pairs and the measures beside it."""
    folder = data / "extraction"
    with gzip.open(folder / "pages.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    pages = [decode((folder / row["html"]).read_bytes(), None).text.encode() for row in rows]
    documents = []
    for row, page, text in zip(rows, pages, extract_pages(pages, HtmlLimits()), strict=True):
        title, main_text = (None, "") if isinstance(text, str) else (text.title, text.text)
        places = image_places(page, row["url"] or _NO_URL, main_text)
        count = len(places.columns)
        measures = measure_pair_texts(
            places.columns.texts(PAIR_TEXT),
            [row["id"]] * count,
            [title] * count,
            [places.site_name] * count,
        )
        documents.append(MeasuredPlaces(places.columns, measures))
    lists = places_array(documents)
    structs = lists.flatten()
    columns = dict(zip(structs.type.names, structs.flatten(), strict=True))
    ids = [
        row["id"] for row, of in zip(rows, documents, strict=True) for _ in range(len(of.places))
    ]
    columns["doc_id"] = pa.array(ids, pa.string())
    lexicon = read_lexicon(LEXICON)
    pair_measures(*(columns[name] for name in ("doc_id", "place", "text")), lexicon)  # compiles
    started = time.process_time()
    batch = pair_measures(*(columns[name] for name in ("doc_id", "place", "text")), lexicon)
    seconds = time.process_time() - started
    distinct = len(columns["text"].unique())
    print(
        f"{len(ids):,} places, {distinct:,} distinct texts measured in {seconds:.3f} s: "
        f"{distinct / seconds:,.0f} distinct texts, {len(ids) / seconds:,.0f} places a second"
    )
    more = [name for name in PAIR_MEASURES_TYPE.fieldNames() if name not in ("doc_id", "place")]
    columns[MORE] = pa.StructArray.from_arrays([batch.column(name) for name in more], more)
    return pa.table(columns)


def frame_of(spark: SparkSession, places: pa.Table, folder: Path) -> DataFrame:
    """The columns that rules see; pages state no opt-outs, and no image was found."""
    path = folder / "places.parquet"
    pq.write_table(places, path)
    stored = spark.read.parquet(str(path))
    counts = {TEXT_PLACES: "text", URL_PLACES: "url"}
    for name, key in counts.items():
        stored = stored.withColumn(name, F.count(key).over(Window.partitionBy(key)))
    known = {*stored.columns, PAGE}
    page = F.struct(F.array().cast("array<string>").alias("opt_outs"))
    return stored.select(
        *(
            (page if of.name == PAGE else F.col(of.name)).alias(of.name)
            if of.name in known
            else F.lit(None).cast(of.dataType).alias(of.name)
            for of in pair_frame_type()
        )
    ).cache()


def print_pack(frame: DataFrame, pack: str) -> list[str]:
    """Print what a pack rejects; return the texts that it keeps."""
    rules = load_config(None, [f"pair_rules.pack={pack}"]).pair_rules
    rows = with_pair_reasons(frame, rules).select("text", "text_source", "reasons").collect()
    fired: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for row in rows:
        fired.update(row.reasons)
        alone.update(row.reasons if len(row.reasons) == 1 else [])
    kept = [row for row in rows if not row.reasons]
    texts = [row for row in rows if row.text is not None]
    sources = Counter(row.text_source for row in kept)
    print(
        f"\n{pack}: {len(rows):,} places, {len(texts):,} with a text, {len(kept):,} kept, ", end=""
    )
    print(f"{len({row.text for row in kept}):,} distinct texts; {dict(sources.most_common())}")
    for reason, count in fired.most_common():
        print(f"    {reason:<20} {count:>6,} ({alone[reason]:,})")
    return sorted({row.text for row in kept})


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", nargs="+", default=list(bundled_packs("pair_rules")))
    parser.add_argument("--show", type=int, default=0)
    arguments = parser.parse_args(argv)
    places = places_of(arguments.data)
    with tempfile.TemporaryDirectory() as folder, local_session() as spark:
        frame = frame_of(spark, places, Path(folder))
        for pack in arguments.pack:
            texts = print_pack(frame, pack)
    step = max(1, len(texts) // arguments.show) if arguments.show else len(texts) + 1
    print("\n".join(texts[::step] if arguments.show else []))
    return 0


if __name__ == "__main__":
    sys.exit(main())
