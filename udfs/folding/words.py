"""Tables of disguised words: what they mean, where they are folded, and how they are written.

Every line is a meaning, a context and ways of writing it. A letter of ASCII stands for both its
cases and for the characters of `LOOK_ALIKES`; texts are matched after `characters` were folded. Of
several that begin at a place the longest is folded that its context allows.

Contexts are those of `udfs.folding.contexts`. What ordinary text may have too (威信, 扣扣, 菠菜,
加裙) is folded in a narrow one; ways of writing that often arise where two words meet (如果聊天,
坚强女干部, 相约泡温泉) are left out.

Sources: common knowledge of how Chinese advertisements evade filters; no labelled text was read.
"""

from __future__ import annotations

LOOK_ALIKES = {
    "c": "сⅽⅭ",
    "i": "іⅰⅠ",
    "o": "оο",
    "p": "рρ",
    "q": "ԛɋ",
    "s": "ѕ",
    "v": "νѵⅴⅤ∨√ᐯ",
    "w": "ωѡшԝ",
    "x": "хχⅹⅩ×メㄨ乂",
}
"""Letter -> characters of other scripts and signs that look like it."""

CONTACT = """
微信 any        薇信 薇芯 薇xin 薇❤ 薇♥ 葳信 葳芯 溦信 溦芯 嶶信 嶶芯 崴信 崴芯 煨信 微忄言 ✔信
微信 any        v❤ v♥ 微❤ 微♥ 威❤ 溦❤ 嶶❤ 葳❤ wx信 vx信 wei信 微xin 微x信 微w信 微伈 微訫
微信号 any      薇心号 薇芯号 薇辛号 微辛号 微芯号 微心号 威芯号 vx号 wx号 v芯号 薇❤号 微❤号
微信 contact    v信 v芯 w信 vx wx weix weixin vxin wxin 威芯 维芯 卫芯 徽芯 徽信 微芯 微x 薇x 威x
微信 contact    v心
微信 account    威信 维信 微心 薇心 魏信 胃信 喂信 薇欣 微新
微信 asked      微星 卫星 威信 维信
微信： account  v: v： 微: 微： 薇: 薇： 威: 威： 葳: 葳： 徽: 徽： 卫: 卫：
微信号： account 薇号: 薇号： 徽号: 徽号：
加微信 any      ➕v ➕vx ➕微 ➕薇 ➕葳 ➕徽 ➕v信 ➕微信 ➕威信 ✚v ✚薇 ✚微 ╋v ╋薇 ╋微 jia薇 jia微
加微信 any      伽v 伽薇 伽微 茄v 枷v 茄薇 枷薇 泇薇 泇v jia微信 jia薇信 jiav
加微信 offer    加v 加w 加微 加薇 加威 加徽 加卫 加葳 加溦 +v +微 +薇 +w 十微 十薇 十v 佳v 佳薇 佳微
加微信 offer    咖v 咖微 咖薇 家v 家薇 嘉v 嘉薇 架v 珈v
加我微信 offer  加我v 加我薇 加我葳 加我威 加我徽 加我微 +我v +我薇 +我微
qq号 any        扣扣号 叩叩号 蔻蔻号 抠抠号 企鹅号 扣口号 叩口号
qq account      扣扣 叩叩 蔻蔻 抠抠 企鹅 球球 秋秋 丘丘 扣口 加扣 +扣 ➕扣 加q +q ➕q 加抠
qq asked        扣扣 叩叩 蔻蔻 抠抠 球球
qq： account    q: q： 扣: 扣： 抠: 抠： 企鹅: 企鹅： 扣号: 扣号： q号: q号：
qq： account    球球: 球球： 扣扣: 扣扣：
qq群 any        q裙 qq裙 扣扣裙 企鹅裙 q君羊 扣扣群 叩叩群 q群 q羣 抠抠群 qq羣
qq群 contact    扣裙 球球群 秋秋群
微信群 any      微信裙 vx裙 wx裙 薇裙 v群 vx群 wx群 薇群 薇信裙 威信裙 威信群 微君羊
微信群 contact  v裙
群 any          君羊
进群 any        进qun
进群 contact    进裙
入群 account    入裙 入qun
加群 any        加qun ➕群 ➕裙 +qun
加群 account    加裙 +裙 +群
群号 account    裙号 qun号
群聊 contact    裙聊
交流群 any      交流裙 交流qun
福利群 any      福利裙 福利qun
资源群 any      资源裙 资源qun
支付宝 any      zfb 支fu宝 支付bao 支fubao 知付宝 吱付宝 支富宝 支服宝 zhi付宝 支付饱
支付宝 any      支乆宝 芝付宝 支付㝉
电报 contact    tg
手机 any        手木几
手机号 any      手ji号 手机hao
电话 any        电hua dian话
联系 any        联糸 联xi 聯糸 联细 lian系
联系我 any      连系我
私信 any        私芯 si信
扫码 any        扫ma sao码 扫犸
二维码 any      二维ma 二唯码 2维码 贰维码 二围码
"""
"""Ways to get in touch."""

GAMBLING = """
赌博 any      du博 赌bo dubo 賭bo 赌搏 赌愽 贝者博 贝者十尃 赌十尃
赌场 any      du场 赌chang 贝者场
赌球 any      du球 贝者球 赌王求 赌qiu
网赌 any      网du wang赌
赌钱 any      du钱 赌钅戋
博彩 any      bo彩 博cai bocai 搏彩 愽彩 铂彩
博彩 web      菠菜 博采 博菜 波菜 bc 薄彩
彩票 any      彩piao cai票 caipiao 彩嘌 采嘌 采票 彩西示 彩瞟
六合彩 any    六合采 六合菜 六和彩 六盒彩 陆合彩 6合彩 6合采 liu合彩 六he彩 六合cai 六閤彩
时时彩 any    时时采 时时菜 时时cai shi时彩
百家乐 any    百家le 百家勒 百佳乐 佰家乐 bai家乐 百jia乐
百家乐 web    bjl
老虎机 any    老虎ji 老虎木几 老hu机
娱乐城 any    娱le城 yu乐城 娱乐cheng 愉乐城
娱乐城 web    ylc
娱乐 web      yl 愉乐 娱le
棋牌 any      qi牌 棋pai qipai 棋脾
澳门 any      澳men 噢门
澳门赌 any    奥门赌
下注 any      xia注 下zhu 下紸
庄家 any      zhuang家 庄jia
充值 any      chong值 充zhi 充徝
提现 any      ti现 提xian
返水 any      返shui 返氵水
"""
"""Gambling."""

FRAUD = """
兼职 any      jian职 兼zhi 蒹职 兼织 兼耳只 蒹直 jianzhi 兼軄 搛职
刷单 any      shua单 刷dan 唰单 涮单 shuadan 刷箪
日结 any      ri结 日jie 日纟吉
赚钱 any      zhuan钱 赚qian 赚钅戋 贝兼钱 zuan钱
现金 any      xian金 现jin
红包 any      hong包 红bao 纟工包 洪包
返利 any      返li fan利
网贷 any      网dai wang贷 网黛
贷款 any      dai款 贷kuan 代贝款 daikuan 岱款 贷欵
借款 any      jie款 借kuan
套现 any      tao现 套xian
信用卡 any    xin用卡 信用ka 信yong卡 xyk 信用咔 芯用卡
花呗 any      hua呗 花bei
洗钱 any      xi钱 洗qian
跑分 any      跑fen pao分 跑芬
杀猪盘 any    sha猪盘 杀zhu盘 杀朱盘
骗子 any      pian子 马扁子 骗zi
骗钱 any      马扁钱 骗qian
诈骗 any      zha骗 诈pian 讠乍马扁 言乍马扁 诈马扁
"""
"""Fraud and loans."""

BLACK_MARKET = """
发票 any      fa票 发piao 发嘌 发瞟 fapiao 发西示 珐票 发剽
开发票 any    kai发票 开fp 开伐票
代开发票 any  代开发漂 代开发飘 代开fp 代kai发票
代开 any      代kai dai开 代亻开
办证 any      办zheng ban证 办証 banzheng
假证 any      jia证 假zheng
身份证 any    shen份证 身fen证 身份zheng sfz 申份证
银行卡 any    yin行卡 银hang卡 银行ka yhk 银行咔 银彳亍卡
四件套 any    4件套 四jian套 4jian套 四件tao
假币 any      jia币 假帀
假钞 any      jia钞 假chao
枪支 any      qiang支 枪zhi 木仓支
迷药 any      mi药 迷yao 谜药 迷艹约
春药 any      chun药 春yao 春艹约
毒品 any      du品 毒pin 毒口品 毒口口口
冰毒 any      bing毒 冰du 氷毒
大麻 any      da麻
账号 any      zhang号 账hao
接码 any      jie码 接ma 接犸
引流 any      yin流 引liu
涨粉 any      zhang粉 涨fen 涨芬
刷赞 any      shua赞 刷zan 唰赞
代刷 any      dai刷 代shua 代唰
黑客 any      hei客 黑ke
代孕 any      dai孕 代yun 代孚乙 岱孕
"""
"""Goods and services that are forbidden, and traffic that is bought."""

PORNOGRAPHY = """
色情 any      se情 色qing 色忄青 銫情
裸聊 any      luo聊 裸liao 衤果聊 倮聊 锞聊 luoliao 祼聊
约炮 any      yue炮 约pao 约p 约啪 约火包 约砲 yuepao
打炮 any      打火包 打pao
一夜情 any    1夜情 一ye情 一夜qing 一液情 壹夜情
援交 any      yuan交 援jiao 援郊 援茭
招嫖 any      zhao嫖 招piao 招女票
嫖娼 any      piao娼 嫖chang 嫖昌 女票娼 女票女昌 嫖女昌 漂娼 瞟娼
妓女 any      ji女 女支女 妓nv
卖淫 any      mai淫 卖yin 卖婬
楼凤 any      lou凤 楼feng 喽凤
外围女 any    外围nv wai围女 外wei女 歪围女
莞式 any      guan式 莞shi
上门服务 any  shang门服务 上men服务 上门fu务
黄片 any      huang片 黄pian h片
成人片 any    成人pian 成ren片 cheng人片
色图 any      涩图 se图 瑟图
福利姬 any    福利ji 福利鸡 fu利姬
强奸 any      qiang奸 强jian 弓虽奸 弓虽女干 强姧 犟奸 墙奸
迷奸 any      mi奸 迷jian 谜奸
轮奸 any      lun奸 轮jian 车仑奸 车仑女干
乱伦 any      luan伦 乱lun 乱仑
调教 any      tiao教 调jiao 言周教 讠周教
口交 any      kou交 口jiao
自慰 any      zi慰 自wei慰
精液 any      jing液 米青液 精氵夜 米青氵夜
鸡巴 any      ji巴 又鸟巴 鸡ba jiba
"""
"""Pornography and prostitution."""

INSULTS = """
婊子 any      女表子 biao子 婊zi
傻逼 any      傻b 傻bi 沙逼 煞逼 傻屄 shabi 莎逼 杀逼 傻x 鲨逼 傻13
操你妈 any    cao你妈 操ni妈 操nima 艹你妈 草你妈 肏你妈 操你女马 操尼玛 艹尼玛 caonima
你妈死了 any  nmsl ni妈死了 你吗死了 你🐎死了 尼玛死了 你女马死了
智障 any      zhi障 智zhang 智阝章
白痴 any      bai痴 白chi 白疒知
贱人 any      贱ren 贝戋人
畜生 any      chu生 畜sheng
废物 any      fei物 废wu
杂种 any      za种 杂zhong 杂禾中
"""
"""Insults."""

SPLIT = """
信 any  亻言
代 any  亻弋
价 any  亻介
你 any  亻尔
证 any  讠正
话 any  讠舌
课 any  讠果
详 any  讠羊
讨 any  讠寸
诈 any  讠乍
说 any  讠兑
钱 any  钅戋
银 any  钅艮
错 any  钅昔
法 any  氵去
液 any  氵夜
洗 any  氵先
情 any  忄青
性 any  忄生
找 any  扌戈
打 any  扌丁
抽 any  扌由
红 any  纟工
给 any  纟合
结 any  纟吉
约 any  纟勺
药 any  艹约
裸 any  衤果
狗 any  犭句
痴 any  疒知
"""
"""Left parts of characters, which stand nowhere alone, before the rest: 讠字旁 has no such rest."""

SPELLED = """
微信 加微信 微信号 支付宝 扣扣 赌博 赌场 赌球 网赌 博彩 彩票 六合彩 时时彩 百家乐 老虎机
娱乐城 棋牌 下注 提现 返水 兼职 刷单 日结 网贷 贷款 套现 信用卡 洗钱 跑分 诈骗 发票 代开 开发票
办证 假证 身份证 银行卡 四件套 假币 假钞 枪支 迷药 春药 毒品 冰毒 大麻 海洛因 接码 引流 涨粉 代孕
色情 裸聊 约炮 一夜情 援交 招嫖 嫖娼 妓女 卖淫 楼凤 外围女 莞式 上门服务 黄片 成人片 强奸 迷奸 轮奸
乱伦 调教 口交 自慰 精液 鸡巴 婊子 傻逼 操你妈 智障 白痴 贱人 畜生 杂种 二维码 红包 进群 私信
"""
"""Words that are folded where signs are between their characters (赌-博); else they stay."""

TABLES = (CONTACT, GAMBLING, FRAUD, BLACK_MARKET, PORNOGRAPHY, INSULTS, SPLIT)
