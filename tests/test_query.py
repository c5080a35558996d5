"""The language of the filter: what it takes, what it refuses and how, and that it comes back as it was."""

from datetime import date

import pytest
from hypothesis import given, strategies as st

from workbench.query import (
    KEYS,
    SETTINGS,
    STATES,
    FilterError,
    Query,
    Term,
    completions,
    days_of,
    parse,
)


def test_the_example_of_every_key_is_understood() -> None:
    for key, (_, example, _) in KEYS.items():
        (term,) = parse(example).terms
        assert term.key == key
        assert str(term) == example


def test_a_filter_of_many_terms() -> None:
    query = parse('state:finished acc>80 -tag:x "two words" is:starred train.epochs>=5 warm')
    assert query.terms == (
        Term("state", ":", "finished"), Term("acc", ">", "80"), Term("tag", ":", "x", True),
        Term("", ":", "two words"), Term("is", ":", "starred"), Term("train.epochs", ">=", "5"),
        Term("", ":", "warm"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("acc>>80", "'acc>>80' is not understood. Try acc>80."),
        ("acc>", "'acc>' is not understood. Try acc>80."),
        ("forget<many", "'forget<many' is not understood. Try forget<5."),
        ("acc>nan", "'acc>nan' is not understood. Try acc>80."),
        ("created>lately", "'created>lately' is not understood. Try created>2026-11-01."),
        ("created>2026-13-01", "'created>2026-13-01' is not understood. Try created>2026-11-01."),
        ("name>x", "'name>x' is not understood. Try name:baseline."),
        ('"open', '\'"open\' is not understood. Try "open".'),
        ("is:good", "'is:good' is not understood. Try one of starred,"),
        ("stat:x", "'stat:x' is not understood. Did you mean 'state'?"),
    ],
)
def test_what_is_not_understood_is_named_with_what_to_write(text: str, sentence: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse(f"run {text}" if '"' not in text else text)
    assert str(refused.value).startswith(sentence)
    assert refused.value.part == text


_values = st.text(min_size=1, max_size=12).filter(lambda t: "\x00" not in t)
_terms = st.one_of(
    st.builds(Term, st.just(""), st.just(":"), _values, st.booleans()),
    st.builds(
        Term, st.sampled_from(["name", "tag", "note", "backbone", "task", "profile"]),
        st.sampled_from([":", "="]), _values, st.booleans(),
    ),
    st.builds(
        Term, st.sampled_from(["acc", "mean", "forget", "seed", "train.epochs"]),
        st.sampled_from([":", "=", ">", "<", ">=", "<="]),
        st.floats(allow_nan=False, allow_infinity=False).map(str), st.booleans(),
    ),
    st.builds(Term, st.just("state"), st.just(":"), st.sampled_from(STATES), st.booleans()),
    st.builds(
        Term, st.just("created"), st.sampled_from([">", "<=", ":"]),
        st.dates(date(1971, 1, 1), date(9999, 12, 30)).map(str), st.booleans()
    ),
)  # fmt: skip


@given(st.lists(_terms, max_size=5))
def test_a_query_written_out_and_read_again_is_the_same(terms: list[Term]) -> None:
    query = Query(tuple(terms))
    assert parse(str(query)) == query


def outcome(text: str) -> tuple[Query, str]:
    """Return the query, or the part that was refused."""
    try:
        return parse(text), ""
    except FilterError as error:
        return Query(), error.part


@given(st.text(max_size=40))
def test_any_text_is_a_query_or_a_sentence(text: str) -> None:
    query, part = outcome(text)
    assert part in text
    assert parse(str(query)) == query


@given(
    st.lists(
        st.sampled_from([*"\"'\\-:<>=. \n", "acc", "is", "created", "2026-02", "9"]), max_size=12
    )
)
def test_any_mixture_of_its_own_signs_is_a_query_or_a_sentence(parts: list[str]) -> None:
    text = "".join(parts)
    query, part = outcome(text)
    assert part in text
    assert parse(str(query)) == query


@pytest.mark.parametrize("day", ["0001", "1970-12-31"])
def test_a_day_before_all_clocks_is_a_sentence(day: str) -> None:
    with pytest.raises(FilterError, match="Try created>2026-11-01"):
        parse(f"created>{day}")
    assert parse("created>1971-01-01").terms


def test_days_months_and_years() -> None:
    assert days_of("2026-11-30") == (date(2026, 11, 30), date(2026, 12, 1))
    assert days_of("2026-02") == (date(2026, 2, 1), date(2026, 3, 1))
    assert days_of("2026-12") == (date(2026, 12, 1), date(2027, 1, 1))
    assert days_of("2026") == (date(2026, 1, 1), date(2027, 1, 1))


def test_the_last_word_is_completed() -> None:
    assert completions("acc>80 st") == ["state:finished"]
    assert completions("-is:st") == ["-is:starred"]
    assert "train.epochs:" in completions("train.")
    assert completions("") == []
    assert "train.epochs" in SETTINGS
