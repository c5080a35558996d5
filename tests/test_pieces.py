"""A step whose pictures are seen piece by piece is the step of the whole batch, in less memory."""

import pytest
import torch

from tests.small import pictures
from tests.tiny import tiny_learner, tiny_network
from workbench.core.learner import Learner
from workbench.core.network import Features

BATCH, CLASSES = 7, 3


def learner_of(at_once: int, dropout: float = 0.0) -> Learner:
    """Return the same learner each time, in its second task."""
    torch.manual_seed(1)
    learner = tiny_learner(tiny_network(dropout=dropout), at_once=at_once)
    learner.begin_task((0, 1), 1)
    with torch.no_grad():
        for class_id in (0, 1):
            learner.network.prototypes.learn(
                class_id, torch.randn(4, learner.network.width).double()
            )
    learner.begin_task((2, 3, 4), 1)
    return learner


def a_batch() -> tuple[torch.Tensor, torch.Tensor]:
    images = pictures(BATCH)
    return images, torch.arange(BATCH) % CLASSES


def gradients(learner: Learner) -> dict[str, torch.Tensor]:
    live = {**learner.network.live_parameters(), **dict(learner.proxy.named_parameters())}
    return {name: p.grad.clone() for name, p in live.items() if p.grad is not None}


def stepped(learner: Learner) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    torch.manual_seed(9)  # dropout's chance
    terms = learner.losses(learner.forward(*a_batch()))
    learner.backward(terms)
    learner.step()
    return {name: float(term.detach()) for name, term in terms.items()}, gradients(learner)


@pytest.mark.parametrize("at_once", [1, 3, 6])
def test_without_dropout_losses_and_gradients_are_those_of_the_whole_batch(at_once):
    terms, expected = stepped(learner_of(0))
    found_terms, found = stepped(learner_of(at_once))
    assert "mutual_information" in terms, "the contrast between pictures of a batch must take part"
    assert found_terms == pytest.approx(terms, rel=1e-12)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-9, atol=1e-14)


def test_with_dropout_the_gradient_is_that_of_the_masks_that_were_drawn():
    learner, expected = learner_of(3, dropout=0.4), learner_of(0, dropout=0.4)
    _, found = stepped(learner)
    images, labels = a_batch()
    torch.manual_seed(9)
    pieces = [expected.network(piece) for piece in images.split(3)]
    features = Features(
        *(torch.cat([getattr(z, n) for z in pieces]) for n in ("s1", "s2", "hybrid"))
    )
    expected.backward(expected.losses(expected.batch(features, labels, expected.draw_old(BATCH))))
    expected.step()
    for name, gradient in gradients(expected).items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-9, atol=1e-14)


def test_in_pieces_nothing_but_the_pixels_is_kept_until_the_gradient_needs_it():
    def kept(at_once: int) -> int:
        learner, sizes = learner_of(at_once), []

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            learner.forward(*a_batch())
        return sum(sizes)

    pixels = a_batch()[0].numel()
    assert kept(1) == pixels
    assert kept(0) > 3 * pixels


@pytest.mark.parametrize("at_once", [0, BATCH, 1024])
def test_a_piece_that_holds_the_whole_batch_is_the_whole_batch_to_the_bit(at_once):
    _, expected = stepped(learner_of(0, dropout=0.4))
    _, found = stepped(learner_of(at_once, dropout=0.4))
    assert all(torch.equal(found[name], gradient) for name, gradient in expected.items())
