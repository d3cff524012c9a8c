"""Goods and applications: two or three sentences of text among numbers, properties and lists."""

from __future__ import annotations

from html import escape

from tests.builders.page_templates import names
from tests.builders.page_templates.comments import remark
from tests.builders.page_templates.frame import (
    ad,
    around,
    crumbs,
    link,
    link_list,
    reply_box,
    sidebar,
)
from tests.builders.page_templates.texts import sentences_of
from tests.builders.page_templates.writer import Writer

_PROPERTIES = [
    "品牌",
    "型号",
    "颜色分类",
    "产地",
    "材质",
    "货号",
    "尺码",
    "适用季节",
    "净含量",
    "保质期",
    "规格",
    "功率",
    "电压",
    "上市时间",
    "风格",
    "适用对象",
    "包装",
    "认证",
]


def description(w: Writer, kind: str = "items") -> list[str]:
    """One to four sentences that say what something is, as one line or as several."""
    lines = w.lines(kind, 60)
    sentences = [part.strip() for line in lines for part in sentences_of(line)]
    chosen = [part for part in sentences if len(part) > 5][: w.count(1, 4)] or lines[:1]
    return ["".join(chosen)[:400]] if w.chance(0.6) else [part[:300] for part in chosen]


def properties(w: Writer, least: int, most: int) -> list[tuple[str, str]]:
    """Names and values of a product's properties; escaped."""
    return [
        (
            name,
            escape(
                w.one_of((w.headline("items")[:12], w.number(), w.one_of(names.PLACES), "见包装"))
            ),
        )
        for name in w.some_of(_PROPERTIES, least, most)
    ]


def shop_item(w: Writer) -> str:
    """A shop's page: gallery, price, choices, tabs with description, properties and reviews."""
    title = w.named("items")
    price = (
        f"<div {w.c('summary-price')}><span>促销价</span><b>¥{w.count(5, 9999)}.00</b><del>"
        f"¥{w.count(10, 9999)}</del>"
        f"</div><div>配送至 {w.one_of(names.PLACES)} 快递 免运费</div><div>"
        f"月销量 {w.number()} 累计评价 {w.number()}</div>"
    )
    choices = "".join(
        f"<li><a href='#'>{color}</a></li>"
        for color in w.some_of(["红色", "白色", "黑色", "蓝色", "均码", "XL", "套餐一"], 2, 6)
    )
    listed = "".join(
        f"<li title='{value}'>{name}：{value}</li>" for name, value in properties(w, 4, 14)
    )
    about = (
        f"<div {w.c('detail-content')}>{w.body(description(w), w.one_of(('p', 'div', 'br')))}</div>"
    )
    reviews = "".join(
        f"<div {w.c('rate-item')}><span>{escape(w.user())}</span><p>{remark(w)}</p><span>{w.date()}"
        "</span></div>"
        for _ in (w.times(1, 8) if w.chance(0.5) else ())
    )
    promise = "<li>七天无理由退货</li><li>正品保证</li><li>极速退款</li>"
    main = (
        f"{crumbs(w)}<div {w.c('preview')}><img src='/1.jpg'><img src='/2.jpg'></div>"
        f"<div {w.c('itemInfo-wrap')}>"
        f"<div {w.c('sku-name')}><h1>{title}</h1></div>{price}<ul {w.c('choose')}>{choices}</ul>"
        "<a href='#'>加入购物车"
        f"</a><a href='#'>立即购买</a><ul>{promise}</ul></div><div {w.c('tab-main')}><ul><li>"
        "商品介绍</li><li>规格参数"
        f"</li><li>商品评价({w.number()})</li><li>售后保障</li></ul></div><ul {w.c('parameter')}>"
        f"{listed}</ul>{about}"
        f"<div {w.c('rate-list')}>{reviews}</div>{link_list(w, '看了又看', 3, 20, 'items')}"
    )
    return around(w, f"<div {w.c('detail')}>{main}</div>", side=sidebar(w, "items"))


def supplier_item(w: Writer) -> str:
    """A supplier's page on a market for companies: a table of properties, then some lines."""
    title = w.named("items")
    values = properties(w, 4, 16)
    rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in values)
    contact = (
        f"<div {w.c('contact')}><h3>联系方式</h3><p>"
        f"{w.one_of(names.PLACES)}{w.one_of(names.SITES)}有限公司</p>"
        f"<p>联系人：{escape(w.user())}</p><p>电话：021-0000{w.count(1000, 9999)}</p><p>"
        f"地址：{w.one_of(names.PLACES)}市"
        f"人民路{w.count(1, 999)}号</p><p>经营模式：生产厂家</p></div>"
    )
    about = f"<div {w.c('pro_intro')}><h2>产品详细介绍</h2>{w.body(description(w))}</div>"
    main = (
        f"{crumbs(w)}<h1>{title}</h1><div {w.c('pro_info')}><img src='/p.jpg'><p>价格：面议</p><p>"
        f"最小起订：{w.count(1, 99)}件"
        f"</p><p>更新时间：{w.date()}</p><p>浏览次数：{w.number()}</p><a href='#'>在线询价</a>"
        f"</div><table {w.c('protable')}>{rows}"
        f"</table>{about}<p>免责声明：以上信息由企业自行提供，内容的真实性由发布企业负责。</p>"
        f"{link_list(w, '相关产品', 4, 24, 'items')}"
    )
    return around(w, f"<div {w.c('prodetail')}>{main}</div>", side=contact + ad(w, 0.3))


def application(w: Writer) -> str:
    """A store of applications: what it does, what is new, permissions, others like it."""
    title = w.named("items")
    about = w.body(description(w), w.one_of(("p", "br", "div")))
    shots = "<img src='/s1.png'><img src='/s2.png'>"
    facts = (
        f"<ul {w.c('app-info')}><li>版本：{w.count(1, 9)}.{w.count(0, 20)}.{w.count(0, 9)}</li><li>"
        f"大小：{w.count(2, 300)}MB"
        f"</li><li>更新：{w.date()}</li><li>系统：Android 5.0 以上</li><li>"
        f"开发者：{w.one_of(names.SITES)}科技</li></ul>"
    )
    main = (
        f"<div {w.c('app-head')}><img src='/i.png'><h1>{title}</h1><span>{w.number()}次下载</span>"
        f"<span>好评率{w.count(50, 100)}%"
        "</span><a href='#'>安卓下载</a><a href='#'>苹果下载</a><a href='#'>扫码下载到手机</a>"
        f"</div>{facts}"
        f"<div {w.c('screenshots')}>{shots}</div><div {w.c('app-intro')}><h2>应用介绍</h2>{about}"
        "</div>"
        f"<h2>应用权限</h2><ul><li>访问网络</li><li>读写存储</li><li>获取位置</li></ul>"
        f"{link_list(w, '同类应用', 4, 20, 'items')}{reply_box(w)}"
    )
    return around(
        w, f"<div {w.c('app-detail')}>{main}</div>", side=sidebar(w, "items"), before=crumbs(w)
    )


def classified_offer(w: Writer) -> str:
    """A small ad of a private seller: price, facts as pairs, some lines, safety notice."""
    title = w.named(w.one_of(("items", "talk")))
    pairs = "".join(
        f"<li><span>{name}：</span><span>{value}</span></li>" for name, value in properties(w, 2, 9)
    )
    about = w.body(
        description(w, w.one_of(("items", "talk"))), w.one_of(("p", "br", "div", "span"))
    )
    safety = "<p>温馨提示：以任何理由收取押金、要求先付款的都可能是诈骗，请提高警惕，谨防上当。</p>"
    main = (
        f"{crumbs(w)}<div {w.c('mainTitle')}><h1>{title}</h1><div>"
        f"{w.date()} 更新 {w.number()} 次浏览"
        f"</div></div><div {w.c('basicinfo')}><span {w.c('price')}>{w.count(10, 9999)} 元</span>"
        "<ul>"
        f"{pairs}</ul><p>联系人：{escape(w.user())}（个人）</p><p>电话：点击查看</p></div>"
        f"<div {w.c('descriptionBox')}><h2>详细描述</h2><article {w.c('description_con')}>{about}"
        f"</article></div>{safety}{link_list(w, '您可能感兴趣的信息', 4, 24, 'items')}"
    )
    return around(
        w, f"<section {w.i('main')}>{main}</section>", side=ad(w, 0.5) + sidebar(w, "items")
    )


def book_page(w: Writer) -> str:
    """A shop's page of a book: data, content, author, contents, readers."""
    title = w.named("novels")
    data = "".join(
        f"<li>{label}：{escape(value)}</li>"
        for label, value in (
            ("作者", w.user()),
            ("出版社", f"{w.one_of(names.PLACES)}出版社"),
            ("ISBN", f"978{w.count(10**9, 10**10 - 1)}"),
            ("页数", w.number()),
        )
    )
    parts = [
        f"<div {w.c('section')}><h3>{heading}</h3><div {w.c('descrip')}>"
        f"{w.body(description(w, w.one_of(('novels', 'prose', 'entries'))), 'p')}</div></div>"
        for heading in w.some_of(["内容简介", "作者简介", "编辑推荐", "前言"], 1, 3)
    ]
    catalog = "".join(f"<p>第{n + 1}章 {escape(w.headline('novels'))}</p>" for n in w.times(0, 15))
    main = (
        f"{crumbs(w)}<h1>{title}</h1><ul {w.c('key')}>{data}</ul><p>¥{w.count(9, 199)}.00</p>"
        f"{''.join(parts)}<div {w.c('section')}><h3>目录</h3>{catalog}</div>"
        f"{link_list(w, '购买本书的还买了', 2, 12, 'novels')}"
    )
    return around(w, f"<div {w.c('product_main')}>{main}</div>", side=sidebar(w, "novels"))


def second_hand(w: Writer) -> str:
    """A used thing or a flat that somebody offers: facts, words of the seller, advice, others."""
    title = w.named("items")
    facts = "".join(
        f"<p><span>{name}</span><span>{value}</span></p>" for name, value in properties(w, 3, 8)
    )
    about = w.body(description(w, w.one_of(("items", "talk"))), w.one_of(("p", "br", "div")))
    advice = w.one_of(
        (
            "请当面验货，不要提前汇款，谨防受骗。",
            "本信息由网友自行发布，交易前请核实对方身份，注意交易安全。",
            "看房前请先电话预约，所有费用以合同为准。",
        )
    )
    main = (
        f"<h1>{title}</h1><div {w.c('price')}>{w.count(1, 99999)}元</div><div {w.c('house-basic')}>"
        f"{facts}</div><div {w.c('general-desc')}><h3>"
        f"{w.one_of(('物品描述', '房源描述', '卖家说', '补充说明'))}</h3><div>{about}</div></div>"
        f"<div {w.c('safe')}>{advice}</div><div {w.c('seller')}>{link(w, w.user())} "
        f"信用{w.count(1, 999)}</div>{link_list(w, '同类信息', 3, 14, 'items')}"
    )
    return around(w, f"<div {w.c('main-wrap')}>{main}</div>", before=crumbs(w))


def mall_goods(w: Writer) -> str:
    """A mall's page: facts as pairs of cells, an introduction, questions, remarks of buyers."""
    title = w.named("items")
    rows = "".join(
        f"<dl><dt>{name}</dt><dd>{value}</dd></dl>" for name, value in properties(w, 5, 14)
    )
    about = w.body(description(w), w.one_of(("p", "span", "div")))
    remarks = "".join(
        f"<li><p>{remark(w)}</p><cite>{escape(w.user())} {w.date()}</cite></li>"
        for _ in (w.times(1, 10) if w.chance(0.6) else ())
    )
    service = "本商品支持七天无理由退货，由商家负责发货并提供售后服务。"
    main = (
        f"<div {w.c('gallery')}><img src='/m.jpg' alt=''></div><h2>{title}</h2><p>¥{w.number()} "
        f"运费：{w.count(0, 20)}元</p><button>加入购物车</button><div {w.c('attrs')}>{rows}</div>"
        f"<div {w.c('goods-intro')}><h3>{w.one_of(('商品详情', '产品介绍', '图文详情'))}</h3>"
        f"{about}</div><p>{service}</p><div {w.c('buyer')}><h3>买家评价</h3><ul>{remarks}"
        "</ul></div>"
    )
    return around(w, main, after=link_list(w, "为您推荐", 3, 16, "items"))
