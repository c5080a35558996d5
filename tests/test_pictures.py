import contextlib
import hashlib
import io
import os
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pictures import make_picture
from workbench.core import pictures
from workbench.core.pictures import PictureError, decode, read, read_all


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def kind_of(path: Path) -> str:
    with pytest.raises(PictureError) as caught:
        decode(path, 64)
    assert path.name in str(caught.value)
    assert str(caught.value).endswith(".")
    return caught.value.kind


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.gif", "a.webp", "a.jpg", "a.dib"])
def test_every_format_gives_the_same_picture(tmp_path: Path, name: str) -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, 15:] = (255, 0, 0)
    options = {"lossless": True} if name == "a.webp" else {}
    got = decode(saved(tmp_path / name, Image.fromarray(pixels), **options), 512)
    assert got.shape == (20, 30, 3)
    assert got.dtype == np.uint8
    tolerance = 6 if name == "a.jpg" else 0
    far = np.abs(got[:, [2, 27]].astype(int) - pixels[:, [2, 27]])
    assert far.max() <= tolerance


def test_lossless_pixels_come_back_unchanged(tmp_path: Path) -> None:
    pixels = make_picture("owl", 0, size=24)
    assert (decode(saved(tmp_path / "a.png", Image.fromarray(pixels)), 512) == pixels).all()


def test_grey_is_repeated_in_three_channels(tmp_path: Path) -> None:
    pixels = np.arange(100, dtype=np.uint8).reshape(10, 10)
    got = decode(saved(tmp_path / "a.png", Image.fromarray(pixels)), 512)
    assert (got == pixels[:, :, None]).all()


def test_one_bit_pictures_are_black_and_white(tmp_path: Path) -> None:
    image = Image.fromarray(np.eye(8, dtype=bool))
    assert (decode(saved(tmp_path / "a.png", image), 512)[:, :, 0] == np.eye(8) * 255).all()


def test_palette_colours_are_looked_up(tmp_path: Path) -> None:
    image = Image.new("P", (6, 6), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    assert (decode(saved(tmp_path / "a.png", image), 512) == (10, 200, 30)).all()


def test_cmyk_is_converted(tmp_path: Path) -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    got = decode(saved(tmp_path / "a.tif", image), 512)
    assert (got == (255, 0, 0)).all()
    jpeg = decode(saved(tmp_path / "a.jpg", image), 512)
    assert jpeg[8, 8, 0] > 200
    assert jpeg[8, 8, 1] < 60


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (4, 4), (0,) * (len(mode) - 1) + (0,))
    image.putpixel((0, 0), (0,) * (len(mode) - 1) + (128,))
    got = decode(saved(tmp_path / "a.png", image), 512)
    assert (got[1:] == 255).all()
    assert (got[0, 0] == 127).all()


def test_a_transparent_palette_colour_is_white(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([0, 0, 0, 50, 60, 70])
    image.putpixel((1, 1), 1)
    for name in ("a.gif", "a.png"):
        got = decode(saved(tmp_path / name, image, transparency=0), 512)
        assert (got[0, 0] == 255).all()
        assert (got[1, 1] == (50, 60, 70)).all()


def test_a_palette_with_graded_transparency_warns_nobody(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([0, 0, 0, 50, 60, 70])
    got = decode(saved(tmp_path / "a.png", image, transparency=b"\x80\xff"), 512)
    assert (got == 127).all()


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path, name: str) -> None:
    deep = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    got = decode(saved(tmp_path / name, Image.fromarray(deep)), 512)
    assert np.abs(got[:, :, 0] - deep / 257.0).max() <= 0.5


def test_sixteen_bit_big_endian_tiff_is_scaled(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 64).astype(">u2").reshape(8, 8)
    image = Image.frombytes("I;16B", (8, 8), deep.tobytes())
    got = decode(saved(tmp_path / "a.tif", image), 512)
    assert np.abs(got[:, :, 0] - deep / 257.0).max() <= 0.5


def test_wide_integers_and_floats_are_brought_into_range(tmp_path: Path) -> None:
    wide = np.array([[0, 100_000], [50_000, 200_000]], np.int32)
    got = decode(saved(tmp_path / "i.tif", Image.fromarray(wide)), 512)[:, :, 0]
    assert got.tolist() == [[0, 128], [64, 255]]
    unit = np.array([[0.0, 0.5], [1.0, np.nan]], np.float32)
    got = decode(saved(tmp_path / "f.tif", Image.fromarray(unit)), 512)[:, :, 0]
    assert got.tolist() == [[0, 128], [255, 0]]
    bytes_as_float = np.array([[0.0, 100.0], [255.0, 3.0]], np.float32)
    got = decode(saved(tmp_path / "g.tif", Image.fromarray(bytes_as_float)), 512)[:, :, 0]
    assert got.tolist() == [[0, 100], [255, 3]]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_orientation_turns_the_picture_upright(
    tmp_path: Path, name: str, orientation: int
) -> None:
    pixels = np.full((16, 32, 3), 255, np.uint8)
    pixels[:8, :8] = 0  # black in the stored top left
    exif = Image.Exif()
    exif[0x0112] = orientation
    got = decode(saved(tmp_path / name, Image.fromarray(pixels), exif=exif), 512)
    turned = {
        1: pixels,
        3: pixels[::-1, ::-1],
        6: np.rot90(pixels, -1),
        8: np.rot90(pixels),
    }[orientation]
    assert got.shape == turned.shape
    assert np.abs(got.astype(int) - turned).mean() < 8


def test_damaged_exif_leaves_the_picture_as_stored(tmp_path: Path) -> None:
    image = Image.fromarray(make_picture("owl", 0))
    path = saved(tmp_path / "a.jpg", image, exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff\x01")
    assert decode(path, 512).shape == (24, 24, 3)


def test_an_animated_gif_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert (decode(path, 512) == (255, 0, 0)).all()


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_the_longer_side_is_reduced(tmp_path: Path, name: str) -> None:
    image = Image.fromarray(make_picture("owl", 0, size=300)).resize((900, 300))
    assert decode(saved(tmp_path / name, image), 100).shape == (33, 100, 3)
    assert decode(tmp_path / name, 900).shape == (300, 900, 3)


def test_a_thread_thin_picture_keeps_one_pixel(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", (1000, 1)))
    assert decode(path, 16).shape == (1, 16, 3)


def test_the_hash_is_of_the_files_bytes(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", (4, 4)))
    assert read(path, 64).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "leer.png"
    path.touch()
    assert kind_of(path) == "empty_file"


def test_a_truncated_jpeg_is_unreadable(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", Image.fromarray(make_picture("owl", 0, size=200)))
    path.write_bytes(path.read_bytes()[:-500])
    assert kind_of(path) == "unreadable"
    with pytest.raises(PictureError):
        decode(path, 16)  # draft mode reads to the end as well


def test_a_text_file_named_png_is_not_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "notes.png"
    path.write_text("only words")
    assert kind_of(path) == "not_a_picture"


def bomb(path: Path, side: int) -> Path:
    """Write a PNG that claims side x side pixels and holds almost nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    header = side.to_bytes(4) * 2 + b"\x08\x02\x00\x00\x00"
    body = zlib.compress(bytes(1000))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize("side", [14_000, 60_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    assert kind_of(bomb(tmp_path / "bomb.png", side)) == "too_large"


def test_a_large_picture_within_the_limit_warns_nobody(tmp_path: Path) -> None:
    assert kind_of(bomb(tmp_path / "big.png", 10_000)) == "unreadable"  # Pillow warns at this size


def test_the_pixel_limit_is_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert kind_of(bomb(tmp_path / "bomb.png", 14_000)) == "too_large"


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "gone.png") == "vanished"


def test_a_file_without_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", (4, 4)))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(io, "open", refuse)
    assert kind_of(path) == "no_permission"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders are a POSIX thing")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert kind_of(tmp_path / "pipe.png") == "not_a_picture"


def test_a_folder_named_like_a_picture_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    assert kind_of(tmp_path / "folder.png") == "not_a_picture"


def test_any_damage_is_a_picture_error(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    image = Image.fromarray(make_picture("owl", 0, size=40))
    for name in ("a.png", "a.jpg", "a.gif", "a.tif", "a.webp", "a.bmp"):
        whole = saved(tmp_path / name, image).read_bytes()
        for _ in range(60):
            data = bytearray(whole[: chance.integers(1, len(whole) + 1)])
            for place in chance.integers(0, len(data), 6):
                data[place] = chance.integers(0, 256)
            (tmp_path / name).write_bytes(data)
            with contextlib.suppress(PictureError):
                assert decode(tmp_path / name, 64).dtype == np.uint8


def test_many_are_read_in_order_with_their_errors(tmp_path: Path) -> None:
    files = []
    for number in range(40):
        path = tmp_path / f"{number}.png"
        if number == 7:
            path.write_text("no")
        else:
            saved(path, Image.new("RGB", (4, 4), (number, 0, 0)))
        files.append((str(path), f"owls/{number}"))
    got = [item for item in read_all(files, 64, workers=3) if item is not None]
    assert isinstance(got[7], PictureError)
    assert "'owls/7'" in str(got[7])
    reds = [int(item.pixels[0, 0, 0]) for item in got if isinstance(item, pictures.Picture)]
    assert reds == [number for number in range(40) if number != 7]


def test_only_a_few_pictures_are_under_way(tmp_path: Path) -> None:
    asked = []

    def files():
        for number in range(1000):
            asked.append(number)
            yield str(tmp_path / "none.png"), ""

    reading = read_all(files(), 64, workers=2)
    next(item for item in reading if item is not None)
    assert len(asked) <= 2 * pictures.PER_WORKER
    reading.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("pictures")]


def test_a_slow_picture_does_not_hold_up_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def slow(*_: object) -> PictureError:
        release.wait(10)
        return PictureError("vanished", "gone.")

    monkeypatch.setattr(pictures, "_read_or_error", slow)
    reading = read_all([("a", "a")], 64, workers=1)
    assert next(reading) is None  # not the error, which comes when the picture has been waited for
    release.set()
    assert isinstance(next(item for item in reading if item), PictureError)
    reading.close()


def test_the_rule_against_remarks_is_added_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGB", (4, 4)))
    decode(path, 64)
    before = list(warnings.filters)
    decode(path, 64)
    assert list(warnings.filters) == before
