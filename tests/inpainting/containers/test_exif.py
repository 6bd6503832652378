"""Each answer is what Chromium 156 shows; tests/browser/test_turning.py asks the installed one."""

import pytest

from inpainting.containers.exif import orientation
from tests.inpainting.containers.making import Entry, long, short, tiff, turn

OTHER: Entry = (0x010F, 2, 4, b"abc\0")
FIRST, SECOND = 8 + 2 + 12 + 4, 8 + 2 + 24 + 4  # where a directory below one or two entries begins


def below(at: int, kind: int = 4, count: int = 1) -> Entry:
    return 0x8769, kind, count, long(at)


def test_it_works() -> None:
    assert orientation(tiff([OTHER, turn(6)])) == 6


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("number", range(1, 9))
def test_every_turn_in_both_byte_orders(number: int, order: str) -> None:
    assert orientation(tiff([turn(number, order)], order)) == number


def test_entries_in_any_order_and_any_number_of_them() -> None:
    assert orientation(tiff([(0x9999, 3, 1, short(3)), turn(6), OTHER] + [OTHER] * 3000)) == 6


@pytest.mark.parametrize(
    ("entries", "number"),
    [
        ([turn(3), turn(6)], 3),
        ([turn(9), turn(6)], 6),
        ([turn(0)], 1),
        ([(0x0112, 4, 1, long(3)), turn(6)], 6),
        ([(0x0112, 1, 1, b"\6\0\0\0")], 1),
        ([(0x0112, 3, 2, short(6))], 1),
        ([(0x0112, 3, 0, short(6))], 1),
        ([(0x0112, 3, 1, b"\0\6\xff\xff")], 6),
    ],
)
def test_the_first_entry_that_is_valid(entries: list[Entry], number: int) -> None:
    assert orientation(tiff(entries)) == number


def test_exifs_own_directory_counts_where_its_pointer_stands() -> None:
    assert orientation(tiff([below(FIRST)], ">", [turn(6)])) == 6
    assert orientation(tiff([below(SECOND), turn(6)], ">", [turn(3)])) == 3
    assert orientation(tiff([turn(6), below(SECOND)], ">", [turn(3)])) == 6
    assert orientation(tiff([below(SECOND), turn(6)], ">", [OTHER])) == 6


def test_only_one_directory_is_read_below_and_none_below_that() -> None:
    assert orientation(tiff([below(SECOND), below(SECOND + 18)], ">", [OTHER], [turn(6)])) == 1
    assert orientation(tiff([below(5000), below(SECOND)], ">", [turn(6)])) == 1
    assert orientation(tiff([below(SECOND, 3), below(SECOND)], ">", [turn(6)])) == 6  # the first is no pointer
    assert orientation(tiff([below(FIRST)], ">", [below(FIRST + 18)], [turn(6)])) == 1
    assert orientation(tiff([below(8), turn(6)])) == 6  # points at itself


def test_the_second_directory_and_the_place_are_not_looked_at() -> None:
    gps: Entry = (0x8825, 4, 1, long(FIRST))
    assert orientation(tiff([gps], ">", [turn(6)])) == 1


def test_what_fits_of_a_directory_that_is_cut_off() -> None:
    whole = tiff([turn(6)])
    assert orientation(tiff([turn(6)], count=500)) == 6
    assert orientation(whole[:-4]) == 6
    assert orientation(whole[:-5]) == 1


@pytest.mark.parametrize("start", [b"IIII", b"II\0*", b"MM\0+", b"II*\0", b"Exif\0\0MM"])
def test_no_tiff(start: bytes) -> None:
    assert orientation(start + tiff([turn(6)])[len(start) :]) == 1
    assert orientation(b"") == orientation(start[:7]) == 1


@pytest.mark.parametrize("at", [0, 7, 0xFF00, 0xFFFFFFFF])
def test_a_directory_that_is_nowhere(at: int) -> None:
    assert orientation(b"MM\0*" + long(at) + tiff([turn(6)])[8:]) == 1
