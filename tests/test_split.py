import pytest
from hypothesis import given, strategies as st

from workbench.core.split import at_most, fold_of, split_by_class, split_pictures
from workbench.errors import UsageError

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
pictures = st.lists(words, min_size=2, max_size=60, unique=True)
seeds = st.integers(0, 2**31 - 1)


@given(pictures, words, seeds, st.floats(0.01, 0.9))
def test_every_picture_is_in_exactly_one_part_and_no_part_is_empty(names, owl, seed, share) -> None:
    train, test = split_pictures(names, owl, seed, share)
    assert sorted(train + test) == sorted(names)
    assert train
    assert test
    assert abs(len(test) - len(names) * share) <= 1
    assert list(train) == sorted(train)


@given(pictures, words, seeds)
def test_the_split_does_not_depend_on_the_order_of_names(names, owl, seed) -> None:
    assert split_pictures(names, owl, seed, 0.2) == split_pictures(names[::-1], owl, seed, 0.2)


@given(pictures, words, seeds)
def test_a_picture_less_moves_at_most_one_other(names, owl, seed) -> None:
    if len(names) < 3:
        return
    _, before = split_pictures(names, owl, seed, 0.2)
    _, after = split_pictures(names[:-1], owl, seed, 0.2)
    assert len(set(after) - set(before)) <= 1


def test_seed_and_class_change_the_split() -> None:
    names = [f"{number}.png" for number in range(100)]
    parts = {
        split_pictures(names, owl, seed, 0.2)[1] for owl in ("tawny", "barn") for seed in (0, 1)
    }
    assert len(parts) == 4
    assert all(len(part) == 20 for part in parts)


def test_one_picture_cannot_be_split() -> None:
    with pytest.raises(UsageError) as caught:
        split_pictures(["a.png"], "owls/tawny", 0, 0.2)
    assert str(caught.value) == (
        "'owls/tawny' has 1 picture. At least 2 are needed (1 to learn, 1 to test)."
    )


@given(pictures, words, seeds, st.integers(2, 9))
def test_validation_parts_are_the_whole_class_each_picture_once(names, owl, seed, folds) -> None:
    if len(names) < folds:
        return
    parts = [fold_of(names, owl, seed, folds, fold) for fold in range(1, folds + 1)]
    assert sorted(name for _, held in parts for name in held) == sorted(names)
    sizes = [len(held) for _, held in parts]
    assert max(sizes) - min(sizes) <= 1
    for train, held in parts:
        assert sorted(train + held) == sorted(names)
        assert train


def test_a_class_with_fewer_pictures_than_validation_parts_is_refused_in_a_sentence() -> None:
    with pytest.raises(UsageError) as caught:
        fold_of(["a.png", "b.png"], "tawny", 0, 3, 1)
    assert str(caught.value) == (
        "'tawny' has 2 training pictures, too few for 3 validation parts. "
        "Choose fewer parts (data.folds), or leave the class out."
    )
    with pytest.raises(UsageError, match="Validation part 4 of 3 is not there"):
        fold_of(["a.png", "b.png", "c.png"], "tawny", 0, 3, 4)


@given(pictures, st.integers(0, 70), seeds)
def test_a_limit_takes_that_many_and_grows_by_adding(names, most, seed) -> None:
    kept = at_most(names, most, "tawny", seed)
    assert len(kept) == (min(most, len(names)) or len(names))
    if most:
        assert set(kept) <= set(at_most(names, most + 1, "tawny", seed))


@given(st.lists(words, min_size=1, max_size=40, unique=True), st.data(), seeds)
def test_tasks_hold_each_class_once_and_only_the_last_is_smaller(names, data, seed) -> None:
    first = data.draw(st.integers(1, len(names)))
    increment = data.draw(st.integers(1, 50))
    tasks = split_by_class(names, first, increment, seed)
    assert sorted(name for task in tasks for name in task) == sorted(names)
    assert len(tasks[0]) == first
    assert all(len(task) == increment for task in tasks[1:-1])
    assert all(1 <= len(task) <= increment for task in tasks[1:])
    assert tasks == split_by_class(names[::-1], first, increment, seed)


def test_ten_classes_as_four_three_three() -> None:
    tasks = split_by_class([str(number) for number in range(10)], 4, 3, 0)
    assert [len(task) for task in tasks] == [4, 3, 3]
    assert tasks != split_by_class([str(number) for number in range(10)], 4, 3, 1)


def test_all_classes_in_the_first_task_need_no_increment() -> None:
    assert [len(task) for task in split_by_class("abc", 3, 0, 0)] == [3]


@pytest.mark.parametrize(("first", "increment"), [(0, 1), (-1, 2), (4, 1), (1, 0), (1, -3)])
def test_numbers_that_do_not_fit_are_refused_in_a_sentence(first: int, increment: int) -> None:
    with pytest.raises(UsageError, match=r"is not possible .*; choose .*\.$"):
        split_by_class("abc", first, increment, 0)
