"""Host lists: every form of file, what a URL is found under, and the index of host names."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.lists.host_list_files import Line
from udfs.lists.host_lists import (
    HostIndex,
    HostList,
    HostListError,
    cached_host_list,
    read_host_list,
)

OURS = Path(__file__).parents[3] / "conf" / "artifacts" / "host_words" / "host_words.tsv"


def read(tmp_path: Path, text: str, name: str = "spam.txt") -> HostList:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_host_list(path)


def tar_of(members: dict[str, str | tarfile.TarInfo], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content.encode())
            archive.addfile(info, io.BytesIO(content.encode()))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "url",
    [
        "http://bad.cn",
        "https://www.bad.cn/a/b?c=d#e",
        "HTTP://WWW.BAD.CN:8080/",
        "http://me:pw@a.b.bad.cn./",
        "bad.cn",
        "//bad.cn/x",
        "http://bad.cn?x",
    ],
)
@pytest.mark.parametrize(
    "entry", ["bad.cn", "Bad.CN.", "*.bad.cn", ".bad.cn", "bad.cn:80", "http://bad.cn/"]
)
def test_a_host_stands_for_all_below_it(tmp_path: Path, url: str, entry: str) -> None:
    assert read(tmp_path, entry).match(url) == "spam"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "http://",
        "http://notbad.cn",
        "http://bad.cn.org",
        "http://x.cn/bad.cn",
        "cn",
        "mailto:",
    ],
)
def test_other_hosts_are_not_meant(tmp_path: Path, url: str | None) -> None:
    assert read(tmp_path, "bad.cn").match(url) is None


@pytest.mark.parametrize(
    "entry", ["例子.中国", "xn--fsqu00a.xn--fiqs8s", "XN--FSQU00A.中国", "例子。中国"]
)
@pytest.mark.parametrize(
    "host", ["例子.中国", "www.例子.中国", "xn--fsqu00a.xn--fiqs8s", "例子．中国."]
)
def test_unicode_and_punycode_are_one(tmp_path: Path, entry: str, host: str) -> None:
    assert read(tmp_path, entry).match(f"http://{host}/") == "spam"


def test_the_most_specific_entry_wins(tmp_path: Path) -> None:
    hosts = read(
        tmp_path,
        "domain\tbad.cn\nhost\twww.bad.cn\npath\twww.bad.cn/a\nlonger\twww.bad.cn/a/b/\n"
        "above\tbad.cn/a\nquery\twww.bad.cn/a?id=1\nword\tbad\n",
    )
    assert [
        hosts.match(f"http://{rest}")
        for rest in (
            *(
                "bad.cn",
                "x.bad.cn/y",
                "www.bad.cn",
                "m.www.bad.cn/a",
                "www.bad.cn/a",
                "www.bad.cn/ab",
            ),
            *("www.bad.cn/a/b", "www.bad.cn/a/b/c?d", "www.bad.cn/a?id=1", "www.bad.cn/a?id=2"),
            *("bad.cn/a/", "x.bad.cn/a/q", "bad.com", "badminton.org", "x.com/BAD", "x.com/?bad"),
        )
    ] == [
        *("domain", "domain", "host", "path", "path", "host"),
        *("longer", "longer", "query", "path"),
        *("above", "above", "word", "word", "word", None),
    ]


def test_a_path_far_below_an_entry(tmp_path: Path) -> None:
    hosts = read(tmp_path, "x.cn/a\nx.cn/b/c\n")
    below = [f"x.cn{path}" for path in ("/a" + "/b" * 90, "/b/c//d", "/b//c", "/b", "/ab/c")]
    assert [hosts.match(url) for url in below] == ["spam", "spam", None, None, None]


def test_a_whole_top_level_domain_is_meant_only_with_a_dot(tmp_path: Path) -> None:
    hosts = read(tmp_path, "中国\n.xyz\nx.cn\n.\n*.\n*\n")
    assert [hosts.match(url) for url in ("a.中国", "a.xyz", "x.cn")] == [None, "spam", "spam"]
    assert (len(hosts), hosts.ignored) == (2, 4)


def test_words_and_whole_tokens(tmp_path: Path) -> None:
    hosts = read(tmp_path, "gambling\tCasino\nadult\t=av\nlong\tcasinox\nother\t=a1\nshort\t=ax\n")
    urls = [
        *(
            "http://mycasino88.com",
            "http://x.com/p/casino",
            "http://x.com/?casino",
            "http://av.com",
        ),
        *("http://x.com/av/", "http://x.com/avi", "http://java.com", "http://a-av-b.cn"),
        *("http://casinox.cn", "http://av.cn/casino", "http://casino.cn/av", "http://a1.cn/av"),
        *("http://汉.cn/汉/av", "http://汉.cn/汉/ax", "http://x.cn/汉/axcasino"),
    ]
    assert [hosts.match(url) for url in urls] == [
        *("gambling", "gambling", None, "adult", "adult", None, None, "adult"),
        *("long", "adult", "gambling", "other", "adult", "short", "gambling"),
    ]


def test_lines_in_the_wild(tmp_path: Path) -> None:
    hosts = read(
        tmp_path,
        "\ufeff# a list\r\n! another comment\r\n\r\n"
        "0.0.0.0 a.cn b.cn # two\r\n127.0.0.1\tc.cn\r\n0.0.0.0 0.0.0.0\r\n127.0.0.1 localhost\r\n"
        "::1 ip6-localhost\r\ngambling \t d.cn \r\n e.cn  # why\r\n61.135.169.121\r\n[2408::1]\r\n"
        "no host at all\r\n\tqqq\r\nf..cn\r\n1.2.3.0/24\r\n" + "x" * 300 + ".cn\r\n-\r\n",
    )
    assert {
        host: hosts.match(host) for host in ("a.cn", "b.cn", "c.cn", "d.cn", "e.cn", "f.cn")
    } == {
        **dict.fromkeys(("a.cn", "b.cn", "c.cn", "e.cn"), "spam"),
        "d.cn": "gambling",
        "f.cn": None,
    }
    assert (
        hosts.match("http://61.135.169.121/x") == hosts.match("http://[2408:0:0::1]:80/") == "spam"
    )
    assert hosts.match("http://135.169.121") is None
    assert hosts.match("localhost") is None
    assert len(hosts) == 7 + 1  # a word: qqq
    assert hosts.ignored == 5


@pytest.mark.parametrize("name", ["ut1.tar", "ut1.tar.gz", "ut1.TGZ", "0123456789abcdef-ut1.tgz"])
def test_ut1_archives(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    members: dict[str, str | tarfile.TarInfo] = {
        "blacklists/adult/domains": "x.cn\nads\n",
        "blacklists/adult/urls": "y.cn/~me/pics\nz.cn/\n",
        "blacklists/adult/expressions": "(sex|porn)\n",
        "blacklists/README": "q.cn\n",
        "blacklists/gambling/domains": "g.cn\nx.cn\n",
    }
    path.write_bytes(tar_of(members, "w" if name.endswith(".tar") else "w:gz"))
    hosts = read_host_list(path)
    assert [
        hosts.match(url) for url in ("www.x.cn", "y.cn", "y.cn/~me/pics/1", "z.cn", "g.cn", "q.cn")
    ] == [*("gambling", None, "adult", "adult", "gambling", None)]
    assert hosts.ignored == 1


def test_ut1_folders_and_single_files(tmp_path: Path) -> None:
    for category, host in (("adult", "x.cn"), ("gambling", "g.cn")):
        (tmp_path / "blacklists" / category).mkdir(parents=True)
        (tmp_path / "blacklists" / category / "domains").write_text(f"{host}\n")
        (tmp_path / "blacklists" / category / "usage").write_text("q.cn\n")
    hosts = read_host_list(tmp_path)
    assert [hosts.match(url) for url in ("x.cn", "g.cn", "q.cn")] == ["adult", "gambling", None]
    assert read_host_list(tmp_path / "blacklists/adult/domains").match("x.cn") == "adult"
    (tmp_path / "list.txt.gz").write_bytes(gzip.compress(b"x.cn\n"))
    assert read_host_list(tmp_path / "list.txt.gz").match("x.cn") == "list"


def test_members_that_point_elsewhere_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret.cn\n")
    link, hard, device = (tarfile.TarInfo(f"{name}/domains") for name in "abc")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
    hard.type, hard.linkname = tarfile.LNKTYPE, "../../secret"
    device.type = tarfile.FIFOTYPE
    path = tmp_path / "list.tar.gz"
    before = set(tmp_path.rglob("*"))
    path.write_bytes(
        tar_of(
            {"1": link, "2": hard, "3": device, "../../x/domains": "x.cn\n", "/y/domains": "y.cn"}
        )
    )
    hosts = read_host_list(path)
    assert [hosts.match(host) for host in ("x.cn", "y.cn", "secret.cn")] == ["x", "y", None]
    assert set(tmp_path.rglob("*")) == before | {path}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tar.gz", gzip.compress(bytes(4 << 20), mtime=0)),
        ("b.tar.gz", tar_of({"a/domains": "x.cn\n" * 300_000})),
        ("c.tar.gz", tar_of({"a/other": "x.cn\n" * 300_000, "a/domains": "x.cn"})),
        ("d.txt.gz", gzip.compress(b"x.cn\n" * 300_000, mtime=0)),
        ("e.txt", b"x" * (2 << 20)),
    ],
)
def test_too_large_a_list_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with (
        mock.patch("udfs.lists.host_list_files.MAX_BYTES", 1 << 20),
        pytest.raises(HostListError, match=rf"{name}: (more than 1,048,576 bytes|no host)"),
    ):
        read_host_list(tmp_path / name)


def test_too_many_files_or_entries_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.tar"
    path.write_bytes(tar_of({f"{n}/domains": f"x{n}.cn\n" for n in range(9)}, "w"))
    with (
        mock.patch("udfs.lists.host_list_files.MAX_FILES", 8),
        pytest.raises(HostListError, match="8 files"),
    ):
        read_host_list(path)
    with (
        mock.patch("udfs.lists.host_lists.MAX_HOSTS", 7),
        pytest.raises(HostListError, match=r"list\.tar: more than 7 hosts"),
    ):
        read_host_list(path)


def test_long_lines_are_passed_over(tmp_path: Path) -> None:
    hosts = read(tmp_path, "a" * (1 << 13) + "\n" + "b" * 20_000 + "x.cn\ny.cn\n" + "c" * (1 << 13))
    assert len(hosts) == 1 and hosts.match("y.cn") == "spam"


def test_too_many_categories_are_refused(tmp_path: Path) -> None:
    with (
        mock.patch("udfs.lists.host_lists.MAX_CATEGORIES", 2),
        pytest.raises(HostListError, match=r"spam\.txt: more than 2 categories"),
    ):
        read(tmp_path, "a\tx.cn\nb\ty.cn\nc\tz.cn\n")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.tar.gz", tar_of({"a/domains": "x.cn\n" * 9000})[:-40]),
        ("broken.tar.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0garbage"),
        ("no.tar", b"x" * 2000),
        ("cut.gz", gzip.compress(b"x.cn\n" * 9, mtime=0)[:-9]),
    ],
)
def test_a_broken_archive_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(HostListError, match=f"{name}: cannot be read"):
        read_host_list(tmp_path / name)


@pytest.mark.parametrize("content", ["", "# nothing\n", "a b c\n"])
def test_a_list_without_an_entry_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(HostListError, match=r"spam\.txt: no host, URL or word"):
        read(tmp_path, content)
    with pytest.raises(HostListError, match=r"absent: cannot be read"):
        read_host_list(tmp_path / "absent")


def test_a_list_stays_in_its_process(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(read(tmp_path, "x.cn"))


def test_a_list_is_read_once_for_a_digest(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("x.cn")
    assert cached_host_list(path, "1") is cached_host_list(path, "1")
    assert cached_host_list(path, "1") is not cached_host_list(path, "2")


labels = st.sampled_from(["a", "b", "cn", "x-y", "1"])
# What ends in a number is an address, and has no host above it.
names = st.lists(labels, min_size=2, max_size=4).map(".".join).filter(lambda n: n[-1] != "1")


@given(st.dictionaries(names, st.sampled_from("pqr")), names)
def test_a_host_is_in_the_list_as_its_longest_suffix_of_labels(
    entries: dict[str, str], host: str
) -> None:
    suffixes = [".".join(host.split(".")[place:]) for place in range(host.count(".") + 1)]
    expected = next((entries[suffix] for suffix in suffixes if suffix in entries), None)
    lines = [Line(category, name, True) for name, category in entries.items()]
    assert HostList(lines).match(f"https://{host}/path") == expected


@pytest.mark.parametrize(
    "url",
    [
        *("a." * 100_000 + "cn", "http://x.cn" + "/a" * 100_000, "http://" + "例" * 50_000 + ".cn"),
        *("http://x.cn/" + "casino" * 50_000, "http://x.cn/?" + "a" * 10**6, "[" * 10**6),
    ],
)
@pytest.mark.timeout(100)  # in quadratic time one of these takes longer
def test_long_urls_are_matched(tmp_path: Path, url: str) -> None:
    expected = "spam" if "casino" in url else None
    assert read(tmp_path, "x.cn/y\ncasino\n=av\n").match(url) == expected


def test_our_own_words_are_well_formed() -> None:
    lines = OURS.read_text(encoding="utf-8").splitlines()
    words = [line.split("\t")[1] for line in lines]
    hosts = read_host_list(OURS)
    assert len(hosts) == len(lines) == len(set(words)) and hosts.ignored == 0
    assert {line.split("\t")[0] for line in lines} == {
        *("gambling", "pornography", "drugs", "fraud", "loan", "seo_spam")
    }
    inside = [word for word in words if word[0] != "="]
    assert [(a, b) for a in inside for b in words if a != b and a in b] == [], "idle words"
    assert min(map(len, inside)) >= 4


def test_our_own_words_leave_plain_sites_alone() -> None:
    plain = [
        *(
            "www.waiguan.cn",
            "teseqingdian.com",
            "www.bocai.edu.cn",
            "specialist.com",
            "essexcampus.uk",
        ),
        *("caipiao.163.com", "x.cn/waiguansheji/", "x.cn/news/2018jingsai.html", "dubois.fr"),
        *("putin.cn/pujing", "x.cn/av/1", "sussex.ac.uk", "yabolan.com", "x.cn/essex"),
    ]
    hosts = read_host_list(OURS)
    assert [(url, hosts.match(url)) for url in plain if hosts.match(url)] == []
    assert hosts.match("http://www.liuhecai88.com") == "gambling"


host_names = st.text("ab.cn汉", max_size=4)


@given(st.lists(st.tuples(host_names, st.sampled_from("pqr")), max_size=12), host_names)
def test_an_index_is_a_dictionary(entries: list[tuple[str, str]], other: str) -> None:
    index = HostIndex()
    for name, category in entries:
        index.add(name, category)
    index.freeze()
    expected = dict(entries)
    assert len(index) == len(expected)
    assert {name: index.get(name) for name in [*expected, other]} == {
        name: expected.get(name) for name in [*expected, other]
    }


def test_one_hash_alone_is_not_believed() -> None:
    with mock.patch("udfs.lists.host_lists.hash", lambda name: ord(name[0]), create=True):
        index = HostIndex()
        index.add("ab", "p")
        index.freeze()
        assert (index.get("ab"), index.get("ac")) == ("p", None)
