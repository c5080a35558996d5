"""A registry keeps order and gives a name away once."""

import pytest

from workbench.errors import UsageError, nearest
from workbench.registry import Registry


def test_things_are_kept_in_order():
    registry = Registry[int]("number")
    registry.add("two", 2)
    registry.add("one", 1)
    assert list(registry) == [2, 1]
    assert len(registry) == 2


def test_a_name_can_be_taken_once():
    registry = Registry[int]("backbone")
    registry.add("a", 1)
    with pytest.raises(UsageError, match=r"^backbone 'a' is registered twice.$"):
        registry.add("a", 2)
    assert list(registry) == [1]


def test_the_nearest_name_is_a_question():
    assert nearest("vit_smal", ("vit_small", "resnet")) == " Did you mean 'vit_small'?"
    assert nearest("zzz", ("vit_small",)) == ""


def test_nothing_is_near_where_nothing_is_known():
    assert nearest("a", ()) == ""
    assert nearest("", ("abc",)) == ""
