"""Sentences in languages without spaces or with rich inflection, made from templates."""

import random

CHINESE = {
    "sport": ("足球 篮球 冠军 教练 球队 决赛 门将 联赛".split(), "赢得 输掉 参加 期待".split()),
    "finance": ("股市 银行 基金 利率 债券 外汇 股东 投资".split(), "上涨 下跌 公布 调整".split()),
    "science": ("卫星 火箭 芯片 病毒 疫苗 望远镜 实验 量子".split(), "发现 发射 研究 观测".split()),
}
JAPANESE = {
    "sport": (
        "野球 サッカー 監督 選手 決勝 試合".split(),
        "が勝った に出た を応援する".split(),
    ),
    "finance": (
        "株価 銀行 金利 円高 投資 為替".split(),
        "が上がった が下がった を示した".split(),
    ),
    "science": ("衛星 ロケット 半導体 ウイルス 実験 量子".split(), "を発見した を観測した".split()),
}
THAI = {
    "sport": ("ฟุตบอล นักกีฬา โค้ช ประตู แชมป์".split(), "ชนะ แพ้ แข่งขัน".split()),
    "finance": ("หุ้น ธนาคาร ดอกเบี้ย กองทุน เงินบาท".split(), "ขึ้น ลดลง ประกาศ".split()),
    "science": ("ดาวเทียม จรวด ไวรัส วัคซีน ทดลอง".split(), "ค้นพบ วิจัย สังเกต".split()),
}
FINNISH = {
    "house": ("talo ikkuna katto seinä ovi lattia".split(), "maalataan korjataan pestään".split()),
    "food": (
        "leipä juusto keitto kala peruna maito".split(),
        "paistetaan syödään ostetaan".split(),
    ),
}
FINNISH_CASES = "ssa sta lla lta ksi na tta nsa mme nne kin kaan han pa".split()


def unspaced(language, rows, seed=0):
    """Returns sentences without spaces, and their class ids."""
    chance, names = random.Random(seed), list(language)
    ids = [chance.randrange(len(names)) for _ in range(rows)]
    parts = ([chance.choice(language[names[i]][kind]) for kind in (0, 1, 0)] for i in ids)
    return ["".join(words) + str(chance.randrange(100)) for words in parts], ids


def finnish(rows, seed=0):
    """Returns sentences whose stems tell the class, and whose endings make most words rare."""
    chance, names = random.Random(seed), list(FINNISH)
    ids = [chance.randrange(len(names)) for _ in range(rows)]

    def sentence(nouns, verbs):
        ending = "".join(chance.sample(FINNISH_CASES, 2))
        return (
            f"{chance.choice(nouns)}{ending} {chance.choice(verbs)}{chance.choice(FINNISH_CASES)}"
        )

    return [sentence(*FINNISH[names[i]]) for i in ids], ids


def mixed_scripts(rows, seed=0):
    """Returns texts of several scripts, emoji, joiners, combining marks and odd characters."""
    chance = random.Random(seed)
    pieces = [
        *(word for nouns, verbs in [*CHINESE.values(), *THAI.values()] for word in nouns + verbs),
        *"The oil team naïve Fußgänger İstanbul ISTANBUL ΟΔΥΣΣΕΥΣ Привет नमस्ते مُحَمَّد שָׁלוֹם".split(),
        *"👩‍👩‍👧 👍🏽 ❤️ 5️⃣ 🇯🇵 e\u0301 n\u0303 각 각 Ａｂｃ１２３ ﾊﾝｶｸ ㍿ ﬁ ½ x²".split(),
        *("\u200b", "\u200d", "\u3000", "\xa0", "\t", "\n", "\r\n", "\x00", "\u2028", "\ufeff"),
        *("�", "\U0010ffff", "\u202e", "a" * 60, "!", "。", "[UNK]", ""),
    ]
    joints = ("", " ")
    return [
        "".join(chance.choice(pieces) + chance.choice(joints) for _ in range(chance.randrange(9)))
        for _ in range(rows)
    ]
