"""Meta elements out of a head, without a parser."""

import pytest

from udfs.html.head import meta_elements

WANTED = frozenset({"robots", "pubdate"})


@pytest.mark.parametrize(
    "tag",
    [
        '<meta name="robots" content="noindex">',
        "<meta name='robots' content='noindex'>",
        "<meta name=robots content=noindex>",
        "<META NAME=ROBOTS CONTENT=noindex>",
        '<meta content="noindex" name="robots"/>',
        '<meta\n  name = "robots"\n  content = "noindex"\n/>',
        '<meta property="robots" content="noindex">',
        '<meta itemprop="robots" content="noindex">',
        '<meta http-equiv="Robots" content=" noindex ">',
        '<meta charset="utf-8" data-x="1" name="robots" lang="zh" content="noindex">',
        '<meta name="&#114;obots" content="no&#105;ndex">',
        '<meta name="ro bots" content="noindex">',
        '<meta name="robots" content="noindex" content="index">',
    ],
)
def test_attributes_in_every_order_and_quoting(tag: str) -> None:
    html = f"<html><head><title>t</title>{tag}</head><body></body></html>"
    assert list(meta_elements(html, WANTED)) == [("robots", "noindex")]


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<head><meta name=robots></head>",
        "<head><metadata name=robots content=noindex></head>",
        "<head><!-- <meta name=robots content=noindex> --></head>",
        "<head><!--[if IE]><meta name=robots content=noindex><![endif]--></head>",
        "<head><script>x = '<meta name=robots content=noindex>'</script></head>",
        "<head><SCRIPT type=a>'<meta name=robots content=noindex>'</SCRIPT></head>",
        "<head></head><body><meta name=robots content=noindex></body>",
        "<HEAD></HEAD ><meta name=robots content=noindex>",
        "<body class=a><meta name=robots content=noindex>",
        "<head><meta data-name=robots data-content=noindex></head>",
        "<head><meta x_name=robots x_content=noindex></head>",
        "<head><meta name=robots content=noindex",
        "<head><!-- never closed <meta name=robots content=noindex></head>",
        "<head>" + " " * 70_000 + "<meta name=robots content=noindex></head>",
    ],
)
def test_what_is_no_statement_of_the_head(html: str) -> None:
    assert list(meta_elements(html, WANTED)) == []


def test_elements_come_in_the_order_of_the_page() -> None:
    html = (
        "<head><header><!-- a --><meta name=robots content=a><script>//</script>"
        "<meta name=x content=y><meta name=pubdate property=robots content='b&gt;c'></head>"
    )
    found = list(meta_elements(html, WANTED))
    assert found == [("robots", "a"), ("pubdate", "b>c"), ("robots", "b>c")]


@pytest.mark.parametrize(
    "unit",
    ["<meta ", "<!--", "<script ", "<script>", "<meta name", '<meta name="', "<meta a='b\"", "<",
     "<meta" + " " * 4000, "<meta " + "a" * 4000 + ">", "<meta " + "name=" * 800 + ">",
     "<meta " + "a=\"" * 1000 + ">", "</head", "<meta name=robots content=x>", "<!-->"]
)  # fmt: skip
@pytest.mark.timeout(100)  # in quadratic time one of these takes longer
def test_a_hostile_head_takes_linear_time(unit: str) -> None:
    list(meta_elements(unit * (2_000_000 // len(unit)), WANTED))
