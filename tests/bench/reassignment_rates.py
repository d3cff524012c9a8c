"""The nearest images of texts: exact blocks and cells beside faiss, by recall and time.

    python -m tests.bench.reassignment_rates [--pairs 20000] [--width 256]

Made pairs: one topic in a hundred, what a pair shows, and noise of each side; texts are moved by
one vector, as the two towers of a CLIP model lie apart. One thread, processor seconds, the 15 best
images of each text. Recall is the share of them that one product of everything finds. faiss has
float32 vectors in one index, which one process holds; taojin has float16, and blocks that any task
may have. Rows of faiss need the package faiss-cpu.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tests.bench.timing import table
from udfs.base.array_types import Float16Array, Int64Array
from udfs.pair_noise.cells import MAX_SAMPLE, SAMPLE_OF_CELL, fit_cells, nearest_cells
from udfs.pair_noise.embeddings import unit_rows
from udfs.pair_noise.top_matches import top_matches

IMAGES_OF_TEXT, TEXTS_OF_IMAGE = 15, 2
BLOCK_ROWS = 2048
PROBES = (4, 8, 16, 32)

Found = list[set[int]]
"""Numbers of the images of each text."""


def made_pairs(count: int, width: int) -> tuple[Float16Array, Float16Array]:
    """Images and texts, row by row of one pair."""
    rng = np.random.default_rng(18)
    topics = rng.normal(size=(max(count // 100, 1), width))
    shown = topics[rng.integers(len(topics), size=count)] + 0.7 * rng.normal(size=(count, width))
    gap = rng.normal(size=width)
    images = shown + 0.5 * rng.normal(size=(count, width)) - gap
    return unit_rows(images), unit_rows(shown + 0.5 * rng.normal(size=(count, width)) + gap)


def in_blocks(images: Float16Array, texts: Float16Array, cells: int | None, probes: int) -> Found:
    """Find the images by `top_matches`, over the pairs of blocks that a job would make."""
    names = [hashlib.sha256(b"%d" % n).hexdigest() for n in range(max(len(images), len(texts)))]
    pairs = _pairs_of_blocks(images, texts, cells, probes, names)
    batches = list(top_matches(pairs, IMAGES_OF_TEXT, TEXTS_OF_IMAGE))
    matches = pa.Table.from_batches(batches).filter(pc.field("of_text"))
    matches = matches.sort_by([("key", "ascending"), ("similarity", "descending")])
    numbers = pa.array(names)
    keys, images_found = (
        pc.index_in(matches[name], numbers).to_numpy() for name in ("key", "match")
    )
    found: Found = [set() for _ in texts]
    for text, image in zip(keys.tolist(), images_found.tolist(), strict=True):
        if len(found[text]) < IMAGES_OF_TEXT:
            found[text].add(image)
    return found


def _pairs_of_blocks(
    images: Float16Array, texts: Float16Array, cells: int | None, probes: int, names: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    if cells is None:
        own, looked = np.zeros((len(images), 1), int), np.zeros((len(texts), 1), int)
    else:
        sample = images[: min(MAX_SAMPLE, SAMPLE_OF_CELL * cells)]
        centroids = fit_cells(sample, cells)
        own, looked = nearest_cells(images, centroids, 1), nearest_cells(texts, centroids, probes)
    for cell in range(cells or 1):
        sides = []
        for vectors, of_cell in ((texts, looked), (images, own)):
            rows = np.flatnonzero((of_cell == cell).any(axis=1))
            sides.append([_block(vectors, part, names) for part in _parts(rows)])
        for text_number, text_block in enumerate(sides[0]):
            for image_number, image_block in enumerate(sides[1]):
                yield pa.RecordBatch.from_pydict(
                    {
                        "text_block": pa.array([cell << 32 | text_number]),
                        "texts": text_block,
                        "image_block": pa.array([cell << 32 | image_number]),
                        "images": image_block,
                    }
                )


def _parts(rows: Int64Array) -> list[Int64Array]:
    return [rows[start : start + BLOCK_ROWS] for start in range(0, len(rows), BLOCK_ROWS)]


def _block(vectors: Float16Array, rows: Int64Array, names: Sequence[str]) -> pa.Array:
    structs = pa.StructArray.from_arrays(
        [
            pa.array([names[row] for row in rows.tolist()]),
            pa.array([vectors[row].tobytes() for row in rows], pa.binary()),
        ],
        names=["key", "vector"],
    )
    return pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), structs)


def of_everything(images: Float16Array, texts: Float16Array) -> Found:
    """Find them by one product a thousand texts, in float64."""
    wide = images.astype(np.float64).T
    found: Found = []
    for start in range(0, len(texts), 1000):
        products = texts[start : start + 1000].astype(np.float64) @ wide
        best = np.argpartition(-products, IMAGES_OF_TEXT - 1, axis=1)[:, :IMAGES_OF_TEXT]
        found += [set(row) for row in best.tolist()]
    return found


def faiss_ways(
    images: Float16Array, texts: Float16Array, cells: int
) -> dict[str, Callable[[], Found]]:
    """Name -> a search by faiss on one thread; nothing where it is not installed."""
    try:
        import faiss
    except ModuleNotFoundError:
        print("faiss-cpu is not installed", file=sys.stderr)
        return {}
    faiss.omp_set_num_threads(1)
    width = images.shape[1]
    database, queries = images.astype(np.float32), texts.astype(np.float32)

    def searched(index: object) -> Found:
        _, numbers = index.search(queries, IMAGES_OF_TEXT)  # type: ignore[attr-defined]
        return [set(row) for row in numbers.tolist()]

    def flat() -> Found:
        index = faiss.IndexFlatIP(width)
        index.add(database)
        return searched(index)

    def inverted(probes: int) -> Found:
        index = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(width), width, cells, faiss.METRIC_INNER_PRODUCT
        )
        index.train(database)
        index.add(database)
        index.nprobe = probes
        return searched(index)

    def graph() -> Found:
        index = faiss.IndexHNSWFlat(width, 32, faiss.METRIC_INNER_PRODUCT)
        index.add(database)
        index.hnsw.efSearch = 64
        return searched(index)

    ways: dict[str, Callable[[], Found]] = {"faiss IndexFlatIP": flat}
    for probes in PROBES:
        ways[f"faiss IndexIVFFlat, {probes} probes"] = lambda probes=probes: inverted(probes)
    return {**ways, "faiss IndexHNSWFlat, 64 candidates": graph}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--width", type=int, default=256)
    arguments = parser.parse_args(argv)
    images, texts = made_pairs(arguments.pairs, arguments.width)
    cells = max(int(4 * np.sqrt(arguments.pairs)) // 4, 1)
    ways: dict[str, Callable[[], Found]] = {
        "one product of everything": lambda: of_everything(images, texts),
        "taojin, exact blocks": lambda: in_blocks(images, texts, None, 0),
    }
    for probes in PROBES:
        name = f"taojin, {cells} cells, {probes} probes"
        ways[name] = lambda probes=probes: in_blocks(images, texts, cells, probes)  # type: ignore[misc]
    ways |= faiss_ways(images, texts, cells)
    in_blocks(images[:10], texts[:10], None, 0)  # compiles
    expected: Found = []
    rows = []
    for name, way in ways.items():
        before = time.process_time()
        found = way()
        seconds = time.process_time() - before
        expected = expected or found
        hits = sum(len(one & other) for one, other in zip(found, expected, strict=True))
        recall = hits / sum(map(len, expected))
        rows.append([name, f"{recall:.4f}", f"{seconds:.1f}", f"{len(texts) / seconds:,.0f}"])
        print(f"  {name}: {seconds:.1f} s", file=sys.stderr, flush=True)
    print(table(["way", "recall", "s", "texts/s"], rows))
    return 0


if __name__ == "__main__":
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        if variable not in os.environ:  # read when numpy is imported
            os.environ |= {variable: "1"}
            os.execv(
                sys.executable,
                [sys.executable, "-m", "tests.bench.reassignment_rates", *sys.argv[1:]],
            )
    sys.exit(main())
