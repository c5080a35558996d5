import numpy as np
import pytest

from tests.recorded import kernel_arrays, moved_arrays
from workbench.errors import WorkbenchError
from workbench.face.scene import Block, effective_rank, scene_of


def test_cosines_are_one_on_the_diagonal_and_free_of_each_pictures_scale():
    arrays = kernel_arrays(2)
    scene = scene_of(arrays)
    np.testing.assert_allclose(np.diag(scene.cosine), 1, atol=1e-6)
    scale = np.linspace(0.1, 9, len(arrays["tasks"]))
    scaled = arrays | {"kernel": arrays["kernel"] * scale * scale[:, None]}
    np.testing.assert_allclose(scene_of(scaled).cosine, scene.cosine, atol=1e-6)


def test_blocks_are_the_classes_and_tasks_span_theirs():
    scene = scene_of(kernel_arrays(2, classes=3, pictures=4))
    assert scene.blocks[0] == Block(0, 4, 0, 0)
    assert scene.blocks[4] == Block(16, 20, 1, 4)
    assert scene.tasks() == {0: (0, 12), 1: (12, 24)}


def test_the_means_are_those_of_a_loop_over_all_pairs_of_pictures():
    arrays = kernel_arrays(2, classes=2, pictures=3)
    scene = scene_of(arrays)
    kinds = {"class": [], "task": [], "across": []}
    tasks, labels = arrays["tasks"], arrays["labels"]
    for i in range(len(tasks)):
        for j in range(len(tasks)):
            if i != j:
                kind = (
                    "class"
                    if labels[i] == labels[j]
                    else "task"
                    if tasks[i] == tasks[j]
                    else "across"
                )
                kinds[kind].append(float(scene.cosine[i, j]))
    assert scene.alike == pytest.approx([np.mean(found) for found in kinds.values()], abs=1e-9)


def test_one_picture_has_nothing_to_be_compared_with():
    one = {"kernel": np.ones((1, 1)), "tasks": np.zeros(1, int), "labels": np.zeros(1, int)}
    assert scene_of(one).alike == (None, None, None)


def test_a_picture_without_a_gradient_is_left_out_and_not_zero():
    arrays = kernel_arrays(1, classes=2, pictures=2)
    arrays["kernel"][0] = arrays["kernel"][:, 0] = 0
    scene = scene_of(arrays)
    assert np.isnan(scene.cosine[0]).all()
    assert len(scene.between(scene.blocks[0], scene.blocks[1])) == 2
    assert all(np.isfinite(value) for value in scene.alike if value is not None)


@pytest.mark.parametrize("name", ["kernel", "tasks", "labels"])
def test_a_file_without_an_array_is_damaged(name):
    arrays = kernel_arrays(1)
    del arrays[name]
    with pytest.raises(WorkbenchError, match=f"holds no array '{name}'"):
        scene_of(arrays)


def test_a_file_whose_arrays_do_not_fit_is_damaged():
    arrays = kernel_arrays(1)
    arrays["labels"] = arrays["labels"][:-1]
    with pytest.raises(WorkbenchError, match="do not fit"):
        scene_of(arrays)


def test_effective_rank_is_n_for_equal_eigenvalues_and_one_for_a_single_one():
    assert effective_rank(np.full(7, 3.0)) == pytest.approx(7, abs=1e-12)
    assert effective_rank(np.array([5.0, 0, 0, -1e-9])) == pytest.approx(1, abs=1e-12)
    assert effective_rank(np.zeros(3)) is None


def test_movement_is_of_the_classes_of_which_both_numbers_are_finite():
    moved = moved_arrays(2, classes=2)
    moved["drift_forecast"][1] = np.nan
    movement = scene_of(kernel_arrays(3, classes=2) | moved).movement
    assert movement.classes.tolist() == [0, 2, 3]
    np.testing.assert_array_equal(movement.measured, moved["drift_measured"][[0, 2, 3]])
    assert scene_of(kernel_arrays(1)).movement is None
    with pytest.raises(WorkbenchError, match="movements of classes do not fit"):
        scene_of(kernel_arrays(1) | moved | {"classes": np.arange(3)})
