"""A registry keeps order and explains its misses."""

import pytest

from workbench.errors import UsageError, nearest
from workbench.registry import Registry


def test_things_are_found_by_name_and_kept_in_order():
    registry = Registry[int]("number")
    registry.add("two", 2)
    registry.add("one", 1)
    assert registry.lookup("one") == 1
    assert list(registry) == [2, 1]
    assert len(registry) == 2


def test_a_miss_names_the_kind_the_name_and_the_nearest():
    registry = Registry[int]("backbone")
    registry.add("vit_small", 1)
    with pytest.raises(UsageError, match=r"^backbone 'vit_smal' is not known. Did you mean 'vit_small'\?$"):  # fmt: skip
        registry.lookup("vit_smal")
    with pytest.raises(UsageError, match=r"^backbone 'zzz' is not known.$"):
        registry.lookup("zzz")


def test_a_name_can_be_taken_once():
    registry = Registry[int]("backbone")
    registry.add("a", 1)
    with pytest.raises(UsageError, match=r"^backbone 'a' is registered twice.$"):
        registry.add("a", 2)
    assert registry.lookup("a") == 1


def test_nothing_is_near_where_nothing_is_known():
    assert nearest("a", ()) == ""
    assert nearest("", ("abc",)) == ""
