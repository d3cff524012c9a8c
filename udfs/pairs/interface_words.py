"""Texts that say how a page is used or what kind of thing an image is, not what it shows.

The lists are this project's: from general knowledge of Chinese sites, and from the alt and title
attributes of 131 Chinese pages, where "点击图片查看幻灯模式" is 169 of the 206 titles of images
without an alt. Both scripts are listed; case, spaces and punctuation do not count.
"""

from __future__ import annotations

_LISTED = """
    图 图片 图像 图标 圖 圖片 圖像 圖標 照片 相片 配图 配圖 插图 插圖 大图 大圖 小图 小圖 原图
    原圖 缩略图 縮略圖 缩图 縮圖 封面 封面图 封面圖 封面图片 题图 題圖 头图 頭圖 主图 主圖 焦点图
    焦點圖 轮播图 輪播圖 幻灯片 幻燈片 幻灯 背景 背景图 背景圖 背景图片 横幅 橫幅 广告 廣告 广告图
    广告图片 广告位 图片加载中 图片加载失败 加载中 载入中 正在加载 加载失败 載入中 暂无图片
    暫無圖片 无图片 無圖片 暂无图 没有图片 图片描述 图片说明 图片标题 图片名称 在这里插入图片描述
    请输入图片描述 请在此添加图片描述 这里写图片描述 輸入圖片說明 输入图片说明 插入图片 上传图片
    用户上传图片 新闻图片 新聞圖片 文章图片 文章配图 内容图片 正文图片 产品图片 產品圖片 商品图片
    商品圖片 推荐图片 未标题 无标题 未命名 点击图片查看幻灯模式 点击查看幻灯模式
    点击图片进入下一页 点击进入下一页 点击查看原图 点击查看大图 点击图片查看大图 点击查看更多
    点击放大 点击图片放大 点此查看大图 查看大图 查看原图 看大图 单击放大 點擊查看大圖 點擊放大
    點擊圖片放大 查看大圖 查看原圖 点击看大图 点击图片 点击进入 点击查看 點擊查看
    按此在新窗口浏览图片 在新窗口打开 打开图片 保存图片 下载图片 分享图片 复制图片 头像 頭像
    用户头像 用戶頭像 作者头像 作者 默认头像 个人头像 会员头像 网友头像 表情 表情包 微笑 图释
    二维码 二維碼 微信二维码 微信公众号二维码 公众号二维码 微信公众号 公众号 扫一扫 扫码关注
    扫描二维码 关注我们 关注微信 手机扫码 扫码下载 下载app app下载 手机版 客户端 客户端下载 小程序
    小程序码 首页 首頁 主页 主頁 返回 返回首页 返回顶部 返回頂部 回到顶部 回到頂部 上一页 下一页
    上一頁 下一頁 上一篇 下一篇 上一张 下一张 上一张图片 下一张图片 上一個 下一個 更多 更多内容
    查看更多 阅读全文 详情 查看详情 详细 搜索 搜尋 搜寻 登录 登錄 登入 注册 註冊 退出 关闭 關閉
    菜单 菜單 导航 導航 展开 收起 分享 分享到 转发 收藏 点赞 赞 喜欢 评论 回复 举报 投诉 订阅 打印
    发送 提交 取消 确定 播放 视频播放 播放按钮 暂停 下载 下載 上传 刷新 编辑 删除 购物车 購物車
    加入购物车 立即购买 客服 在线客服 在線客服 联系我们 聯繫我們 电话 邮箱 微信 微博 新浪微博
    腾讯微博 朋友圈 空间 人人网 豆瓣 抖音 快手 哔哩哔哩 网站地图 网站备案 公安备案 备案图标
    工商网监 网监 可信网站 安全联盟 诚信网站 经营许可证 网络警察 验证码 驗證碼 看不清 换一张
    点击刷新 点击刷新验证码 箭头 箭頭 左箭头 右箭头 按钮 按鈕 图标图片 最新 热门 推荐 置顶 精华 新
    热 new hot top vip image images img imgs picture pictures pic pics photo photos thumb
    thumbnail thumbnails icon icons avatar banner banners background cover placeholder loading
    untitled default null none undefined alt title caption figure screenshot advertisement ad ads
    arrow button btn close open menu search home back next prev previous more play share like
    download qrcode wechat weibo weixin qq facebook twitter instagram youtube rss email print
    login user
"""
GENERIC_TEXTS = frozenset(_LISTED.split())
"""Texts without spaces and punctuation, in lower case."""

LOGO_WORDS = (
    "logo", "标志", "標誌", "标识", "標識", "徽标", "徽標", "商标", "商標", "台标", "台標", "站标",
    "网徽", "favicon",
)  # fmt: skip
"""Words of texts for the sign of a site or a firm."""
