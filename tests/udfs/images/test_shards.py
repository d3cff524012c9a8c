"""Shards written and read again, and read where they are damaged or hostile."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builders.images import image_bytes
from udfs.images.shard_reader import ReadSample, ShardLimits, ShardProblem, read_shard
from udfs.images.shards import ShardSample, write_shard

FIELDS = [("url", pa.string()), ("width", pa.int32())]
SAMPLES = [
    ShardSample(image_bytes("jpeg"), "jpeg", "山间小路", None, {"url": "http://a/1", "width": 96}),
    ShardSample(None, None, "没有图", "HTTP Error 404", {"url": "http://a/2", "width": None}),
    ShardSample(image_bytes("webp"), "webp", None, None, {"url": "http://a/3", "width": 96}),
]


class _Kept(io.BytesIO):
    """A file whose bytes are kept when it is closed."""

    def __init__(self, keep: Callable[[bytes], None]) -> None:
        super().__init__()
        self._keep = keep

    def close(self) -> None:
        if not self.closed:
            self._keep(self.getvalue())
        super().close()


def written(
    samples: list[ShardSample], number: int = 12, json_nulls: dict[str, object] | None = None
) -> dict[str, bytes]:
    files: dict[str, bytes] = {}

    def open_file(name: str) -> _Kept:
        return _Kept(lambda body: files.__setitem__(name, body))

    write_shard(open_file, number, samples, FIELDS, json_nulls)
    return files


def read(body: bytes, limits: ShardLimits | None = None) -> tuple[list[ReadSample], list[str]]:
    items = list(read_shard(io.BytesIO(body), limits or ShardLimits()))
    problems = [item.reason for item in items if isinstance(item, ShardProblem)]
    return [item for item in items if isinstance(item, ReadSample)], problems


def tar_of(*members: tuple[str, bytes], **options: object) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", **options) as archive:
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return file.getvalue()


def test_nulls_of_json_may_have_a_type() -> None:
    sample = ShardSample(image_bytes("png"), "png", None, None, {"url": None, "width": None})
    files = written([sample], json_nulls={"caption": "", "url": "", "width": -1})
    (found,), _ = read(files["00012.tar"])
    assert found.fields == {
        "key": "000120000", "caption": "", "status": "success", "error_message": None,
        "url": "", "width": -1,
    }  # fmt: skip
    row = pq.read_table(io.BytesIO(files["00012.parquet"])).to_pylist()[0]
    assert (row["caption"], row["url"], row["width"]) == (None, None, None)
    (found,), _ = read(written([sample])["00012.tar"])
    assert found.fields is not None and found.fields["url"] is None


def test_a_shard_has_its_three_files_and_its_bytes_follow_from_its_samples() -> None:
    files = written(SAMPLES)
    assert files == written(SAMPLES)
    assert sorted(files) == ["00012.parquet", "00012.tar", "00012_stats.json"]
    with tarfile.open(fileobj=io.BytesIO(files["00012.tar"])) as archive:
        members = archive.getmembers()
        assert [member.name for member in members] == [
            *("000120000.jpg", "000120000.json", "000120000.txt"),
            *("000120002.json", "000120002.txt", "000120002.webp"),
        ]
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    rows = pq.read_table(io.BytesIO(files["00012.parquet"])).to_pylist()
    assert [row["key"] for row in rows] == ["000120000", "000120001", "000120002"]
    assert [row["status"] for row in rows] == ["success", "failed_to_download", "success"]
    assert rows[1]["error_message"] == "HTTP Error 404"
    stats = json.loads(files["00012_stats.json"])
    assert stats["count"] == 3
    assert stats["status_dict"] == {"HTTP Error 404": 1, "success": 2}


def test_what_is_written_is_read() -> None:
    samples, problems = read(written(SAMPLES)["00012.tar"])
    assert problems == []
    assert [(sample.key, sample.url, sample.caption) for sample in samples] == [
        ("000120000", "http://a/1", "山间小路"),
        ("000120002", "http://a/3", ""),
    ]
    assert [sample.image for sample in samples] == [SAMPLES[0].image, SAMPLES[2].image]


def test_wrong_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        written([ShardSample(b"x", "jpeg", None, None, {"url": "http://a"})])
    with pytest.raises(ValueError, match="format 'tiff'"):
        written([ShardSample(b"x", "tiff", None, None, {"url": "http://a", "width": 1})])
    with pytest.raises(ValueError, match="shard 100000"):
        written([], 100_000)


LONG = "文件夹/" * 60 + "a.jpg"
PARTS = [("0/a.b.JPG", b"1"), ("0/a.b.json", b'{"url": "u"}'), ("0/c.txt", "字".encode())]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_grouped_by_names_up_to_the_first_dot(form: int) -> None:
    more = [] if form == tarfile.USTAR_FORMAT else [(LONG, b"2"), (LONG[:-3] + "txt", b"t")]
    samples, problems = read(tar_of(*PARTS, ("__meta__", b"x"), *more, format=form))
    assert problems == []
    assert (samples[0].key, samples[0].image, samples[0].fields) == ("0/a", None, None)
    assert samples[0].others == {"b.jpg": b"1", "b.json": b'{"url": "u"}'}
    assert (samples[1].key, samples[1].caption) == ("0/c", "字")
    assert [(sample.key, sample.image, sample.caption) for sample in samples[2:]] == [
        (LONG[:-4], b"2", "t") for _ in more[:1]
    ]


@pytest.mark.parametrize(
    ("members", "keys", "reasons"),
    [
        ([("../a.jpg", b"1"), ("b.jpg", b"2")], ["b"], ["unsafe_name"]),
        ([("/etc/a.jpg", b"1"), ("c\\..\\a.jpg", b"2")], [], ["unsafe_name"] * 2),
        ([("a.jpg", b"1"), ("a.jpg", b"2")], ["a"], ["duplicate_member"]),
        ([("a.jpg", b"1"), ("b.jpg", b"2"), ("a.txt", b"3")], ["a", "b"], ["duplicate_key"]),
        ([("README", b"1"), ("a.jpg", b"2")], ["a"], ["no_ending"]),
        ([("a.jpg", b"1" * 2000), ("a.txt", b"2")], ["a"], ["member_too_large"]),
        ([(f"a.{n}", b"1") for n in range(6)], ["a"], ["sample_too_large"] * 2),
        ([("a.json", b"[" * 900), ("b.json", b"[1]")], ["a", "b"], ["bad_json"] * 2),
    ],
)
def test_every_doubtful_member_has_a_reason(
    members: list[tuple[str, bytes]], keys: list[str], reasons: list[str]
) -> None:
    limits = ShardLimits(max_member_bytes=1500, max_sample_members=4)
    samples, problems = read(tar_of(*members), limits)
    assert ([sample.key for sample in samples], problems) == (keys, reasons)


def test_links_and_folders_are_no_members() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for kind, name in ((tarfile.SYMTYPE, "a.jpg"), (tarfile.DIRTYPE, "a"), (b"3", "b.jpg")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert read(file.getvalue()) == ([], ["not_a_file"] * 2)


def test_a_cut_shard_gives_the_samples_before_the_cut() -> None:
    body = tar_of(*((f"{n}.{kind}", b"x" * 700) for n in range(3) for kind in ("jpg", "txt")))
    whole, _ = read(body)
    for cut in range(0, 19 * 512, 190):
        samples, problems = read(body[:cut])
        assert samples == whole[: len(samples)]
        assert problems == ["truncated_shard"]
        assert len(samples) == max(0, (cut - 512) // 3072)


def test_bytes_that_are_no_tar_have_a_reason() -> None:
    assert read(b"\xff" * 2048) == ([], ["bad_header"])
    assert read(gzip.compress(tar_of(("a.jpg", b"1")))) == ([], ["compressed_shard"])
    assert read(b"") == ([], ["truncated_shard"])
    header = bytearray(tar_of(("a.jpg", b"1")))
    header[124:135] = b"-0000000001"
    assert read(bytes(header))[1] == ["bad_header"]


def test_a_header_that_states_gigabytes_takes_no_memory() -> None:
    info = tarfile.TarInfo("a.jpg")
    info.size = 1 << 40
    assert read(info.tobuf(tarfile.GNU_FORMAT) + b"x" * 1000) == ([], ["truncated_shard"])
    info.type = b"x"
    assert read(info.tobuf(tarfile.GNU_FORMAT) + b"x" * 1000) == ([], ["truncated_shard"])
