"""Makes a training set: what is worth learning from in Debian packages and in a folder of photographs."""

import csv
import io
import string
import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from fontTools import subset
from fontTools.ttLib import TTFont, TTLibError
from PIL import Image, ImageFont, UnidentifiedImageError

from training.data.faces import LETTERS
from training.data.pack import Kind, Picture, Writer, is_symbol, split_of
from training.data.packages import Package, fetch

PACKAGES: dict[Kind, tuple[str, ...]] = {
    "photo": (
        *("python3-skimage", "gcompris-qt-data", "mate-backgrounds", "palapeli-data", "gnome-backgrounds"),
        *("lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04"),
    ),
    "texture": ("ufoai-textures",),
    "logo": ("oxygen-icon-theme", "elementary-xfce-icon-theme", "mate-icon-theme"),
    "font": (
        *("fonts-dejavu-core", "fonts-liberation", "fonts-lato", "fonts-roboto-unhinted", "fonts-open-sans"),
        *(
            "fonts-cantarell",
            "fonts-ubuntu-title",
            "fonts-comfortaa",
            "fonts-quicksand",
            "fonts-dosis",
            "fonts-lobster",
        ),
        *("fonts-lobstertwo", "fonts-dancingscript", "fonts-kaushanscript", "fonts-leckerli-one", "fonts-kristi"),
        *("fonts-bebas-neue", "fonts-league-spartan", "fonts-oldstandard", "fonts-ebgaramond", "fonts-linuxlibertine"),
        *("fonts-cabin", "fonts-cabinsketch", "fonts-play", "fonts-karla", "fonts-inter", "fonts-b612", "fonts-jura"),
        *("fonts-comic-neue", "fonts-humor-sans", "fonts-dustin", "fonts-sjfonts", "fonts-tomsontalks", "fonts-oxygen"),
        *("fonts-averia-sans-gwf", "fonts-averia-serif-gwf", "fonts-adf-baskervald", "fonts-adf-gillius"),
        *("fonts-yanone-kaffeesatz", "fonts-quattrocento", "fonts-vollkorn", "fonts-gfs-neohellenic", "fonts-staypuft"),
        *("fonts-crosextra-carlito", "fonts-crosextra-caladea", "fonts-courier-prime", "fonts-hack", "fonts-ocr-a"),
        *(
            "fonts-paratype",
            "fonts-freefont-ttf",
            "fonts-ferrite-core",
            "fonts-aenigma",
            "fonts-breip",
            "fonts-rufscript",
        ),
        *("fonts-wqy-microhei", "fonts-arphic-gkai00mp", "fonts-arphic-bsmi00lp", "fonts-vlgothic", "fonts-mplus"),
        *("fonts-ipafont-gothic", "fonts-sawarabi-mincho", "fonts-motoya-l-maruberi", "fonts-reggae", "fonts-stick"),
        *("fonts-nanum", "fonts-alee", "fonts-unfonts-core", "fonts-hosny-amiri", "fonts-kacst", "fonts-farsiweb"),
        *("fonts-sil-lateef", "fonts-sil-ezra", "fonts-lohit-deva", "fonts-tlwg-waree", "fonts-tlwg-purisa"),
        *("fonts-font-awesome", "fonts-fork-awesome", "fonts-materialdesignicons-webfont", "fonts-entypo"),
        *("fonts-elusive-icons",),
    ),
}
SCRIPTS = {  # a font has a script if it has these characters
    "latin": "AEHRaegks089",
    "cyrillic": "АЖИЩбдфяю",
    "greek": "ΑΔΘΞαβγω",
    "arabic": "ابتجدرسعمنهو",
    "hebrew": "אבגדהלמש",
    "han": "一不人大中上下天地山水日月",
    "kana": "あいかさたアイカサタン",
    "hangul": "가나다라한글사진",
    "devanagari": "अकगतनमर",
    "thai": "กขคงจชด",
}
SYMBOLS = 60  # characters in the private use area that make a font one of symbols
LARGEST_FONT = 8 << 20  # bytes; the CJK fonts below it are as good as those beyond
MAPS = (
    "_nm",
    "_norm",
    "_n.",
    "_normal",
    "_spec",
    "_sm.",
    "_gm.",
    "_gloss",
    "_height",
    "_bump",
    "_disp",
    "_glow",
    "_rm.",
)
SMALLEST = 200  # pixels, the shorter side
LOGO = 128  # pixels, the longer side of a logo
PER_PACKAGE = {"texture": 420, "logo": 260, "font": 40}  # at most, so that no package outweighs the others
ALIKE = 5  # bits in which the hashes of near-duplicates differ at most


def build(collector: "Collector", packages: dict[Kind, tuple[str, ...]], downloads: Path) -> Iterator[str]:
    """Takes from each package what is of its kind, and tells what it was."""
    for kind, names in packages.items():
        for name in names:
            yield f"{name}: {collector.take_package(kind, fetch(name, downloads))} of kind {kind}"


class Seen:
    """Remembers pictures by a perceptual hash: 8x8 signs of horizontal differences of the reduced grey picture."""

    def __init__(self) -> None:
        self._hashes: list[int] = []

    def is_new(self, picture: Picture) -> bool:
        grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA).astype(int)
        bits = int.from_bytes(np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes(), "big")
        new = all((bits ^ other).bit_count() > ALIKE for other in self._hashes)
        if new:
            self._hashes.append(bits)
        return new


def is_natural(picture: Picture) -> bool:
    """No flat picture, no drawing of a few colours, no normal map."""
    small = np.asarray(cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA), np.uint8)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    if grey.std() < 10:
        return False
    colours, counts = np.unique((small >> 3).reshape(-1, 3), axis=0, return_counts=True)
    if len(colours) < 250 or counts.max() > 0.3 * counts.sum():
        return False
    red, green, blue = small.reshape(-1, 3).mean(0)
    return not (blue > 190 and abs(red - 128) < 25 and abs(green - 128) < 25)


def decode(data: bytes, side: int) -> Picture | None:
    """A picture of at most that side; None where the bytes hold none, a small one, or one with holes in it."""
    try:
        image: Image.Image = Image.open(io.BytesIO(data))
        if min(image.size) < SMALLEST or image.width * image.height > 60_000_000:
            return None
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            image = image.convert("RGBA")
            if np.asarray(image.getchannel("A")).mean() < 250:
                return None
        image = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, struct.error, UnidentifiedImageError):
        return None  # most files of a package are no pictures
    if max(image.size) > side:
        scale = side / max(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    return np.asarray(image) if min(image.size) >= SMALLEST else None


def subset_font(data: bytes) -> bytes:
    """The font with only the characters that marks are written in: a Chinese one becomes fifty times smaller."""
    options = subset.Options(hinting=False, layout_features=["*"], font_number=0, ignore_missing_unicodes=True)
    font = subset.load_font(io.BytesIO(data), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(LETTERS.values()) + string.printable + "©")
    subsetter.subset(font)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


class Collector:
    """Puts what is suitable into a set. Pictures are reduced to `side` pixels at most and stored as WebP."""

    def __init__(self, writer: Writer, side: int, quality: int) -> None:
        self._writer, self._side, self._quality = writer, side, quality
        self._seen = Seen()

    def take_folder(self, folder: Path, licences: Path | None) -> int:
        """Photographs of one's own. `licences`: a table with tabs and the columns file, repo, commit, path, licence."""
        known = {}
        if licences:
            with licences.open(newline="") as file:
                known = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
        taken = 0
        for path in sorted(folder.iterdir()):
            row = known.get(path.name, {})
            origin = {
                "source": "photos",
                "version": row.get("commit", ""),
                "file": f"{row['repo']}/{row['path']}" if row else path.name,
                "licence": row.get("licence", "the owner's own"),
            }
            taken += path.is_file() and self._take_picture("photo", path.read_bytes(), origin)
        return taken

    def take_package(self, kind: Kind, package: Package) -> int:
        licences, taken = package.licences(), 0
        for file, data in package.files():
            if taken >= PER_PACKAGE.get(kind, 1 << 30):
                break
            origin = {"source": package.name, "version": package.version, "file": file, "licence": licences.of(file)}
            if kind == "font":
                taken += self._take_font(data, origin)
            elif kind == "logo":
                taken += self._take_logo(data, origin)
            elif not any(part in file.lower() for part in MAPS):
                taken += self._take_picture(kind, data, origin)
        return taken

    def _take_picture(self, kind: Kind, data: bytes, origin: dict[str, str]) -> bool:
        picture = decode(data, self._side)
        if (
            picture is None
            or not (origin["source"] == "photos" or is_natural(picture))
            or not self._seen.is_new(picture)
        ):
            return False
        height, width = picture.shape[:2]
        split = split_of(f"{origin['source']}/{origin['file']}")
        data = self._stored(data, picture)
        self._writer.add(data, kind=kind, split=split, width=width, height=height, about="", **origin)
        return True

    def _stored(self, data: bytes, picture: Picture) -> bytes:
        """As WebP; one that is WebP already and small enough stays what it is, so that nothing is lost twice."""
        if data[8:12] == b"WEBP" and Image.open(io.BytesIO(data)).size == picture.shape[1::-1]:
            return data
        out = io.BytesIO()
        Image.fromarray(picture).save(out, "WEBP", quality=self._quality, method=4)
        return out.getvalue()

    def _take_logo(self, data: bytes, origin: dict[str, str]) -> bool:
        """A silhouette: large enough, and neither a full square nor a speck."""
        if not origin["file"].endswith(".png"):
            return False
        image = Image.open(io.BytesIO(data)).convert("RGBA")
        box = image.getchannel("A").getbbox()
        if min(image.size) < 96 or box is None:
            return False
        image = image.crop(box)
        image.thumbnail((LOGO, LOGO), Image.Resampling.LANCZOS)
        alpha = np.asarray(image.getchannel("A"))
        if not 0.15 < (alpha > 128).mean() < 0.8 or not self._seen.is_new(np.dstack([alpha] * 3)):
            return False
        out = io.BytesIO()
        image.save(out, "WEBP", lossless=True, method=4)
        # The split is by the icon's name, so that an icon of two themes lies on one side only.
        split = split_of(f"logo/{Path(origin['file']).stem}")
        width, height = image.size
        self._writer.add(out.getvalue(), kind="logo", split=split, width=width, height=height, about="", **origin)
        return True

    def _take_font(self, data: bytes, origin: dict[str, str]) -> bool:
        if not origin["file"].endswith((".ttf", ".otf", ".ttc")) or len(data) > LARGEST_FONT:
            return False
        try:
            characters = TTFont(io.BytesIO(data), fontNumber=0, lazy=True).getBestCmap() or {}
            family = ImageFont.truetype(io.BytesIO(data), 20).getname()[0] or Path(origin["file"]).stem
        except (OSError, TTLibError, AssertionError, KeyError):
            return False  # bitmap fonts and Type 1 in new clothes
        scripts = [name for name, needed in SCRIPTS.items() if all(ord(one) in characters for one in needed)]
        if sum(is_symbol(code) for code in characters) >= SYMBOLS and not scripts[1:]:
            scripts = ["symbols"]
        if not scripts:
            return False
        # The split is by the family's first word, so that the bold of a face is held out with it.
        split = split_of(f"font/{family.split()[0]}")
        data = data if scripts == ["symbols"] else subset_font(data)
        self._writer.add(data, kind="font", split=split, width=0, height=0, about=",".join(scripts), **origin)
        return True
