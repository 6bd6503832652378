"""What marks are written with: fonts, and texts in the scripts they have."""

import io

from fontTools.ttLib import TTFont
from numpy.random import Generator
from PIL import ImageFont

from training.data.pack import is_symbol

WORDS = (
    *(
        "sample",
        "preview",
        "stock",
        "photo",
        "images",
        "copyright",
        "watermark",
        "demo",
        "draft",
        "proof",
        "do not copy",
    ),
    *(
        "confidential",
        "studio",
        "gallery",
        "archive",
        "press",
        "agency",
        "media",
        "design",
        "art print",
        "shop",
        "free",
    ),
    *("trial version", "original", "licensed", "www.example.com", "all rights reserved"),
)
LETTERS = {
    "latin": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "cyrillic": "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЭЮЯабвгдежзиклмнопрстуфхцчшщыьэюя",
    "greek": "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρστυφχψω",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשת",
    "han": "一人大中上下天地山水日月火木金土口目手足心力女子男生文字本年時分今"
    "前後左右東西南北高小多少新古白青赤黒花草竹米石田町村川空雨雪風光音明",
    "kana": "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆ"
    "よらりるれろわアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホ",
    "hangul": "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도"
    "로모보소오조초코토포호구누두루무부수우주추그는한글사진견본저작권",
    "devanagari": "अआइउएकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह",
    "thai": "กขคงจฉชซญดตถทธนบปผฝพฟภมยรลวศสหอ",
}


SHARES = {  # of the scripts, roughly as they are met
    **{"latin": 0.5, "cyrillic": 0.1, "greek": 0.04, "arabic": 0.08, "hebrew": 0.03, "han": 0.1, "kana": 0.05},
    **{"hangul": 0.05, "devanagari": 0.03, "thai": 0.02},
}


class Face:
    """A font, with what is written in it; loaded at each size when first asked for."""

    def __init__(self, data: bytes, scripts: str) -> None:
        self._data = data
        self.scripts = scripts.split(",")
        self._sizes: dict[int, ImageFont.FreeTypeFont] = {}
        self.symbols = self.scripts == ["symbols"]
        if self.symbols:
            codes = TTFont(io.BytesIO(data), lazy=True).getBestCmap()
            self._symbols = [chr(code) for code in codes if is_symbol(code)]

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """Sizes are few on purpose: stamps are resized anyway."""
        if size not in self._sizes:
            self._sizes[size] = ImageFont.truetype(io.BytesIO(self._data), size)
        return self._sizes[size]

    def text(self, rng: Generator, script: str) -> str:
        if self.symbols:
            return str(rng.choice(self._symbols))
        if script == "latin" and rng.random() < 0.6:
            words = " ".join(rng.choice(WORDS, rng.integers(1, 4)))
            text = (words.upper, words.title, words.lower)[rng.integers(3)]()
        else:
            longest = 8 if script in ("han", "kana", "hangul") else 12
            text = "".join(rng.choice(list(LETTERS[script]), rng.integers(2, longest)))
        return f"© {text}" if script == "latin" and rng.random() < 0.15 else text
