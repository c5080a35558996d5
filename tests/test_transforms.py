import time
from functools import partial
from threading import Thread

import numpy as np
import pytest
import torch
from PIL import Image

from tests.pictures import make_picture
from workbench.core.device import Stream, choose_device, device_name
from workbench.core.transforms import TestTransform, TrainTransform, in_unit_range
from workbench.errors import UsageError


def some_pictures() -> list[np.ndarray]:
    shapes = [(30, 40), (64, 64), (5, 90), (200, 31)]
    return [
        np.asarray(Image.fromarray(make_picture("owl", n)).resize(shape))
        for n, shape in enumerate(shapes)
    ]


def trained_on(pictures: list[np.ndarray], size: int) -> torch.Tensor:
    """The pictures as they are trained on, drawn from torch's global generator."""
    transform = TrainTransform(size)
    return in_unit_range(
        torch.stack([transform.apply(p, transform.draw(p.shape)) for p in pictures])
    )


@pytest.mark.parametrize("transform", [partial(trained_on, size=32), TestTransform(32)])
def test_pictures_of_any_size_become_one_batch_in_the_unit_range(transform) -> None:
    batch = transform(some_pictures())
    assert batch.shape == (4, 3, 32, 32)
    assert batch.dtype == torch.float32
    assert batch.min() >= 0
    assert 0.2 < batch.max() <= 1


def test_the_test_transform_is_resize_by_256_224_and_centre_crop() -> None:
    picture = make_picture("owl", 0, size=120)
    image = Image.fromarray(picture).resize((64, 64), Image.Resampling.BICUBIC).crop((4, 4, 60, 60))
    expected = torch.tensor(np.asarray(image)).permute(2, 0, 1) / 255
    assert (TestTransform(56)([picture])[0] - expected).abs().max() <= 2 / 255


def test_a_very_long_picture_is_cut_before_it_is_resized() -> None:
    grey = np.full((1, 60_000, 3), 7, np.uint8)
    assert (TestTransform(224)([grey]) == 7 / 255).all()


def test_cutting_a_long_picture_keeps_its_middle() -> None:
    picture = np.zeros((20, 1000, 3), np.uint8)
    picture[:, 490:510] = 255
    batch = TestTransform(56, crop_share=1.0)([picture])
    assert batch.mean() > 0.98


def test_a_read_only_picture_is_taken_without_a_warning() -> None:
    picture = make_picture("owl", 0)
    picture.flags.writeable = False
    assert trained_on([picture], 16).shape == (1, 3, 16, 16)


def test_crops_cover_what_the_method_says() -> None:
    ramp = np.zeros((100, 100, 3), np.uint8)
    ramp[:, :, 0] = np.arange(100)[None, :] * 2
    ramp[:, :, 1] = np.arange(100)[:, None] * 2
    with Stream(0):
        batch = trained_on([ramp] * 400, 32) * 255 / 2
    across = (batch[:, 0].amax((1, 2)) - batch[:, 0].amin((1, 2))) / 100
    down = (batch[:, 1].amax((1, 2)) - batch[:, 1].amin((1, 2))) / 100
    area = across * down
    assert 0.03 < area.min() < 0.1
    assert 0.8 < area.max() <= 1
    ratio = across / down
    assert 0.7 < ratio.min() < 0.85
    assert 1.2 < ratio.max() < 1.45
    flipped = (batch[:, 0, :, 0].mean(1) > batch[:, 0, :, -1].mean(1)).float().mean()
    assert 0.4 < flipped < 0.6


def test_the_same_seed_gives_the_same_pixels_and_another_others() -> None:
    def drawn(stream: Stream) -> torch.Tensor:
        with stream:
            return trained_on(some_pictures(), 16)

    assert (drawn(Stream(3)) == drawn(Stream(3))).all()
    assert (drawn(Stream(3)) != drawn(Stream(4))).any()
    assert (drawn(Stream(3, "dropout")) != drawn(Stream(3, "augmentation"))).any()


def test_a_stream_resumes_where_it_left_and_leaves_the_outer_chance_alone() -> None:
    torch.manual_seed(5)
    undisturbed = torch.rand(6)
    whole = Stream(1)
    with whole:
        expected = torch.rand(6)
    torch.manual_seed(5)
    stream, got = Stream(1), []
    outer = []
    for _ in range(3):
        with stream:
            got.append(torch.rand(2))
        outer.append(torch.rand(2))
    assert (torch.cat(got) == expected).all()
    assert (torch.cat(outer) == undisturbed).all()


def test_two_streams_interleave_without_touching_each_other() -> None:
    def alone(seed: int) -> torch.Tensor:
        with Stream(seed):
            return torch.rand(4)

    first, second = Stream(1), Stream(2)
    with first:
        a = torch.rand(2)
        with second:
            b = torch.rand(2)
        c = torch.rand(2)
    with second:
        d = torch.rand(2)
    assert (torch.cat([a, c]) == alone(1)).all()
    assert (torch.cat([b, d]) == alone(2)).all()


def test_the_outer_chance_comes_back_after_an_error() -> None:
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    with pytest.raises(KeyError), Stream(1):
        raise KeyError("x")
    assert (torch.rand(2) == expected).all()


def test_a_stream_cannot_be_entered_twice() -> None:
    stream = Stream(1)
    with stream, pytest.raises(RuntimeError, match="already in force"), stream:
        pass


def test_the_cpu_is_named_and_chosen() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert device_name(torch.device("cpu")) == "cpu"


def test_cuda_asked_for_and_absent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(UsageError, match="PyTorch finds none"):
        choose_device("cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_stream_owns_chance_on_the_gpu_too() -> None:
    device = choose_device("cuda")
    assert device_name(device) != "cuda"
    torch.cuda.manual_seed(0)
    expected = torch.rand(2, device=device)
    torch.cuda.manual_seed(0)
    drawn = []
    for _ in range(2):
        with Stream(1, device=device):
            drawn.append(torch.rand(2, device=device))
    assert (drawn[0] == drawn[1]).all()
    assert (torch.rand(2, device=device) == expected).all()


def test_two_threads_draw_from_their_streams_as_if_each_were_alone():
    def draws(stream: Stream, found: list[float]) -> None:
        for _ in range(300):
            with stream:
                found.append(float(torch.rand(())))
                time.sleep(0)  # let the other one try
                found.append(float(torch.rand(())))

    alone: dict[int, list[float]] = {3: [], 4: []}
    together: dict[int, list[float]] = {3: [], 4: []}
    for seed, found in alone.items():
        draws(Stream(seed), found)
    threads = [Thread(target=draws, args=(Stream(s), f)) for s, f in together.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone
