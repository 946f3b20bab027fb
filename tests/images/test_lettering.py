import string

import numpy as np

from dpanet.images.lettering import HEIGHT, draw_text, paint_text


def test_every_letter_and_digit_is_drawn_and_none_like_another() -> None:
    drawn = {
        letter: draw_text(letter).tobytes() for letter in string.ascii_lowercase + string.digits + "-+.,:%"
    }
    assert len(set(drawn.values())) == len(drawn)
    assert all(any(dots) for dots in drawn.values())
    assert all(draw_text(letter).shape == (HEIGHT, 5) for letter in drawn)


def test_a_seven_is_a_seven() -> None:
    rows = ["".join(".#"[int(dot)] for dot in row) for row in draw_text("7")]
    assert rows[:4] == ["#####", "....#", "...#.", "..#.."]


def test_text_grows_with_its_size_and_is_cut_at_the_edge() -> None:
    assert draw_text("10 px", 3).shape == (27, 3 * 29) and draw_text("").shape == (9, 0)
    picture = np.zeros((20, 30, 3), np.uint8)
    paint_text(picture, "888888", (15, 4), 2, (1, 2, 3))
    assert set(map(tuple, picture.reshape(-1, 3))) == {(0, 0, 0), (1, 2, 3)}
    assert not picture[:15].any() and not picture[:, :4].any()
