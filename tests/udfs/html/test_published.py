"""The day on which a page says that it was published."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.html.published import may_have_marks, published_date

DAY = date(2021, 4, 8)
URL = "https://example.cn/news/a.html"


def meta(name: str, content: str, attribute: str = "name") -> str:
    tag = f'<meta {attribute}="{name}" content="{content}">'
    return f"<html><head><title>标题文字很长</title>{tag}</head><body></body></html>"


def body(html: str, title: str = "一条新闻的标题") -> str:
    return f"<html><head><title>{title}_某网站</title></head><body>{html}</body></html>"


@pytest.mark.parametrize(
    ("attribute", "name"),
    [
        ("property", "article:published_time"), ("name", "article:published_time"),
        ("property", "og:published_time"), ("property", "og:release_date"),
        ("property", "bytedance:published_time"), ("name", "PubDate"), ("name", "publishdate"),
        ("name", "publish_date"), ("name", "publish-date"), ("itemprop", "datePublished"),
        ("name", "DC.date.issued"), ("name", "dcterms.issued"), ("name", "citation_date"),
        ("name", "weibo: article:create_at"), ("name", "og:time "), ("name", "date"),
    ],
)  # fmt: skip
def test_meta_elements(attribute: str, name: str) -> None:
    assert published_date(meta(name, "2021-04-08 10:20:30", attribute), None) == DAY


@pytest.mark.parametrize(
    "content",
    ["2021-04-08", "2021-04-08T10:20:30+08:00", "2021-04-08T23:59:59Z", "2021/4/8 9:05",
     "2021.04.08",
     "2021年4月8日", "2021 年 4 月 8 日 10:20", "20210408", "20210408102030", "20210408T102030Z",
     "Thu, 08 Apr 2021 10:20:30 GMT", "April 8, 2021", "Apr. 8, 2021", "8 Apr 2021", " 2021-04-08 "]
)  # fmt: skip
def test_ways_to_write_a_day(content: str) -> None:
    assert published_date(meta("pubdate", content), None) == DAY


@pytest.mark.parametrize(
    "content",
    ["", "today", "2021-13-08", "2021-02-30", "1989-12-31", "0000-00-00", "08/04/2021", "2021",
     "2021-04", "12021-04-08", "2021-04-081", "1617848430", "Apr 2021", "202104081", "2021-04/08",
     "2021040812345678"]
)  # fmt: skip
def test_what_is_no_day(content: str) -> None:
    assert published_date(meta("pubdate", content), None) is None


def test_names_that_say_something_else() -> None:
    for name in (
        "article:modified_time",
        "og:updated_time",
        "lastmodified",
        "dateUpdate",
        "revised",
    ):
        assert published_date(meta(name, "2021-04-08"), None) is None


def test_the_plainest_statement_counts() -> None:
    html = (
        "<head><meta name=date content=2019-01-01>"
        "<meta property=article:published_time content=2021-04-08>"
        '<script type="application/ld+json">{"datePublished": "2018-01-01"}</script></head>'
        "<body><h1>标题</h1>发布时间：2017-01-01</body>"
    )
    assert published_date(html, "https://example.cn/2016/01/01/a.html") == DAY
    # Of two, the first; one that cannot be read is passed over.
    twice = html.replace(
        "</head>", "<meta property=article:published_time content=2022-02-02></head>"
    )
    assert published_date(twice, None) == DAY
    html = html.replace("2021-04-08", "soon")
    assert published_date(html, None) == date(2019, 1, 1)


def test_json_ld_and_marked_elements() -> None:
    for html in (
        '<script type="application/ld+json">{"datePublished":"2021-04-08T01:02:03+08:00"}</script>',
        '<script type="application/ld+json">{"pubDate" : "2021-04-08T15:44:46"}</script>',
        '<time itemprop="datePublished" datetime="2021-04-08T10:00">昨天</time>',
        "<time datetime=2021-04-08 itemprop=datePublished>昨天</time>",
        '<span itemprop="datePublished">2021-04-08 10:00</span>',
        '<span itemprop="datePublished" content="2021-04-08">昨天</span>',
    ):
        assert published_date(body(f"<p>正文</p>{html}"), None) == DAY, html
    for html in (
        '{"dateModified":"2021-04-08"}',
        '{"datePublished":null,"other":"2021-04-08"}',
        "<p>datePublished 2021-04-08</p>",
        '<span class="datePublished">2021-04-08</span>',
    ):
        assert published_date(body(f"<p>正文</p>{html}"), None) is None, html


@pytest.mark.parametrize(
    "line",
    [
        "发布时间：2021-04-08 10:20",
        "发布时间: 2021年4月8日",
        "<span>发布日期：</span><span>2021-04-08</span>",
        "发布于 2021-04-08",
        "<i>发表于</i>&nbsp;<b>2021/4/8</b>",
        "发稿时间：2021-04-08 06:03:00",
        "时间：2021-04-08",
        "<td>日期:</td><td>2021.04.08</td>",
        "發佈時間：2021-04-08",
        "作者：某人&nbsp;&nbsp;时间：2021-04-08 10:20",
    ],
)
def test_labelled_dates(line: str) -> None:
    assert published_date(body(f"<p>一段文字。</p><div>{line}</div><p>正文。</p>"), None) == DAY


@pytest.mark.parametrize(
    "line",
    [
        "更新时间：2021-04-08 10:20",
        "最后更新：2021-04-08 10:20",
        "今天是2021年4月8日 星期四",
        "报名截止日期：2021-04-08",
        "开庭时间：2021-04-08",
        "最新推荐文章于 2021-04-08 22:12:13 发布",
        "2021年4月8日，某地举行了会议。",
        "他在2021年4月8日10:20出生。",
        '<a title="发布时间：2021-04-08">链接</a>',
        "<!-- 发布时间：2021-04-08 -->",
        "<script>var a = '发布时间：x < y 2021-04-08'</script>",
        "<li>一条别的新闻 2021-04-08</li>",
        "12/01/2021 - 01/08/2021",
    ],
)
def test_dates_of_something_else(line: str) -> None:
    assert published_date(body(f"<p>一段文字。</p><div>{line}</div><p>正文。</p>"), None) is None


@pytest.mark.parametrize(
    "html",
    [
        "<h1>一条新闻的标题</h1><div><span>2021-04-08 10:20</span></div>",
        "<h1>一条新闻的标题</h1><div><span>2021-04-08</span></div>",
        "<h1>一条新闻的标题</h1><p>某人 2021年4月8日 10:20</p>",
        "<h1>另有标题</h1><div><span>2021-04-08 10:20</span></div>",
        "<div>一条新闻的标题</div><p>http://www.example.cn 2021年04月08日10:20 某报</p>",
        "<div>别的标题</div><p>2021-04-08 10:20 来源：某报</p>",
        "<div>别的标题</div><p>来源：某报 2021-04-08 10:20:30</p>",
        "<h1>网站</h1>" + "<p>菜单</p>" * 300 + "<b>一条新闻的标题</b><i>2021-04-08 10:20</i>",
    ],
)
def test_dates_beside_the_heading_or_the_source(html: str) -> None:
    assert published_date(body(html), None) == DAY


@pytest.mark.parametrize(
    "html",
    [
        "<h1>一条新闻的标题</h1>" + "<p>" + "很长的文字。" * 40 + "</p><i>2021-04-08 10:20</i>",
        "<h1>一条新闻的标题</h1>" + "<i></i>" * 400 + "<i>2021-04-08 10:20</i>",
        "<div>一条新闻的标题</div><span>2021-04-08</span>",
        "<h1>一条新闻的标题</h1><p>在2021-04-08这一天</p>",
        '<h1>一条新闻的标题</h1><input value="2021-04-08 10:20">',
        "<h1>一条新闻的标题</h1><i>更新 2021-04-08 10:20</i>",
        "<h1>一条新闻的标题</h1><i>今天是2021年4月8日 10:20</i>",
        "<p>" + "x" * 40_000 + "</p><p>发布时间：2021-04-08</p>",
        "<span>2021-04-08 10:20</span>" + "<p>菜单</p>" * 60 + "<h1>一条新闻的标题</h1>",
    ],
)
def test_dates_that_stand_apart(html: str) -> None:
    assert published_date(body(html), None) is None


@pytest.mark.parametrize(
    "path",
    ["/2021/04/08/a.html", "/news/2021-04-08/detail-1.html", "/20210408/5010608.shtml",
     "/202104/08/a.html",
     "/news/202104/t20210408_15249693.htm", "/2021-04/08/content_117.htm", "/news/2021-4-8/1.html"]
)  # fmt: skip
def test_days_in_the_url(path: str) -> None:
    assert published_date(body("<p>正文</p>"), f"https://example.cn{path}?from=wap") == DAY


@pytest.mark.parametrize(
    "url",
    ["https://example.cn/2021/04/a.html", "https://example.cn/a/2021040812345.html",
     "https://example.cn/120210408/", "https://example.cn/?d=/2021/04/08/", "https://2021/04/08",
     "https://example.cn/20211308/", "http://[/2021/04/08/", "",
     "https://example.cn/p/20210408abc/",
     "https://example.cn/goods/20210408.html"]
)  # fmt: skip
def test_urls_without_a_day(url: str) -> None:
    assert published_date(body("<p>正文</p>"), url) is None


def test_a_label_says_more_than_the_url_and_the_url_more_than_a_place() -> None:
    labelled = body("<h1>一条新闻的标题</h1><i>2020-01-01 10:00</i><p>发布时间：2021-04-08</p>")
    assert published_date(labelled, "https://example.cn/2019/01/01/a.html") == DAY
    beside = body("<h1>一条新闻的标题</h1><i>2020-01-01 10:00</i>")
    assert published_date(beside, "https://example.cn/2021/04/08/a.html") == DAY


def test_nothing_is_published_after_it_is_captured() -> None:
    page = meta("pubdate", "2021-04-08")
    assert published_date(page, URL, datetime(2021, 4, 8, 1, tzinfo=UTC)) == DAY
    # The day is further on east of the capture's time zone.
    assert published_date(page, URL, datetime(2021, 4, 7, 23, tzinfo=UTC)) == DAY
    assert published_date(page, URL, datetime(2021, 4, 6, 23, tzinfo=UTC)) is None
    later = body("<p>发布时间：2099-01-01</p><p>发布时间：2021-04-08</p>")
    assert published_date(later, None, datetime(2022, 1, 1, tzinfo=UTC)) == DAY
    assert published_date(page, URL, datetime.max.replace(tzinfo=UTC)) == DAY


def test_a_page_that_states_none() -> None:
    assert published_date("", None) is None
    assert published_date(body("<h1>标题</h1><p>正文。</p>"), URL) is None


PIECES = st.sampled_from(
    ["<h1>", "</h1>", "<title>", "</title>", "<body>", "</head>", "发布时间：", "来源", "<!--",
     "-->", "2021-04-08", "2021年4月8日", " 10:20", "<", ">", "&nbsp;", "\"datePublished\"", ":",
     "\"", " ",
     "itemprop=", "datePublished", "<meta name=pubdate content=", "20210408", "一条新闻的标题",
     "更新", "\ud800"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=30))
def test_no_page_raises(html: str, url: str) -> None:
    found = published_date(html, url, datetime(2024, 5, 1, tzinfo=UTC))
    assert found in (None, DAY)


@pytest.mark.parametrize(
    "unit",
    ["2021-04-08 ", ">2021-04-08<", "<h1>2021-04-08 10:20<", "2021", "2021年", "<title>", "<h1",
     "<body", '"datePublished"', '"datePublished":"', "itemprop=datePublished ", '"pubDate"', "<",
     ">", "&nbsp;", " ", "<title>一条新闻", "20", "来源", "发布时间：", "\n", "datePublished>"]
)  # fmt: skip
@pytest.mark.timeout(100)  # in quadratic time one of these takes longer
def test_a_hostile_page_takes_linear_time(unit: str) -> None:
    html = unit * (2_000_000 // len(unit))
    for page in (html, body(html), f"<title>{unit * 20}</title><body><h1>{html}"):
        published_date(page, "https://example.cn/" + "/2021" * 5000)


PIECES = ["datePublished", '"pubDate"', '"pub', "ePub", "epub", "Pub", '"', "d", "中", "<i>"]


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_it_is_a_search_for_parts_of_the_marks(html: str) -> None:
    assert may_have_marks(html.encode()) == ("ePub" in html or '"pub' in html)


@pytest.mark.parametrize("mark", ["datePublished", '"pubDate"'])
@pytest.mark.parametrize("before", range(70))
def test_no_mark_is_missed_wherever_it_is(mark: str, before: int) -> None:
    assert may_have_marks(b"-" * before + mark.encode())


@pytest.mark.parametrize(
    "html",
    [
        '<script>{"datePublished": "2021-03-04"}</script>',
        '<script>{"pubDate": "2021-03-04T00:00:00"}</script>',
        '<i itemprop="datePublished" datetime="2021-03-04">',
        "<h1>x</h1> 发布时间：2021-03-04",
        "<p>2021</p>",
    ],
)
def test_the_date_is_the_same_with_the_bytes_at_hand(html: str) -> None:
    assert published_date(html, None, utf8=html.encode()) == published_date(html, None)
