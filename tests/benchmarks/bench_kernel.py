"""What a look at the kernel costs against a training step: time, peak memory, error against the exact kernel.

    python -m tests.benchmarks.bench_kernel [--pictures 64] [--outputs 10] [--memory 1.0]

The sample backbone on the processor, and ViT-B/16 with random weights on a GPU if there is one.
Each form of the kernel is made in a process of its own, whose peak of memory above the loaded
network is what is printed; the pictures are noise.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workbench.config import ModelConfig, MonitorConfig, RunConfig, effective_switches
from workbench.core.build import build_network
from workbench.core.heads import ProxyHead
from workbench.core.jacobian import Rows, gram
from workbench.core.kernel import head_kernel, proxy_vectors, value_kernel
from workbench.core.network import Network
from workbench.core.plan import KernelPlan, fitted, signs
from workbench.core.probe import Eye, Part
from workbench.core.steps import result_of
from workbench.core.weights import load_weights

FORMS = ("closed", "vectors", "sketch", "exact")
BATCH = 16


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def network_of(backbone: str, device: torch.device) -> Network:
    """The network with adapters that are past their start, where their kernel is not degenerate."""
    weights = result_of(load_weights(backbone, "", Path(".")))
    network = build_network(ModelConfig(), effective_switches(RunConfig()), weights, device)
    torch.manual_seed(0)
    with torch.no_grad():
        for p in network.live_parameters().values():
            p.add_(0.02 * torch.randn_like(p))
    return network.eval()


def kernel_of(
    form: str, network: Network, eye: Eye, part: Part, proxy: ProxyHead, plan: KernelPlan
) -> tuple[Tensor, Tensor]:
    """The training logits' kernel (n O, n O): its closed form, and adapters and prompts; along vectors (n, n)."""
    (view,) = result_of(eye.look([part], "looking"))
    weight, sigma = proxy.weight.detach().double(), float(proxy.sigma.detach())
    q = proxy_vectors(view.main, weight, sigma)
    closed = head_kernel(view.main, view.main, weight, sigma).add_(value_kernel(view.s1, q, view.s1, q))  # fmt: skip
    if form == "closed":
        return closed, torch.zeros_like(closed)
    vectors = None
    if form == "vectors":
        vectors = signs(tuple(range(len(weight))), "bench", weight.device)
    rows: Rows = result_of(eye.rows(part, proxy, plan.piece, vectors, plan.sketch()))
    blocks = sum(gram(rows, rows).values())
    n = len(part)
    if form == "vectors":
        m = rows.outputs
        return traced(closed, n), blocks.reshape(n, m, n, m).diagonal(dim1=1, dim2=3).mean(-1)
    return closed, blocks


def traced(kernel: Tensor, n: int) -> Tensor:
    outputs = len(kernel) // n
    return kernel.reshape(n, outputs, n, outputs).diagonal(dim1=1, dim2=3).sum(-1)


def one(form: str, options: argparse.Namespace, keep: Path) -> dict[str, float]:
    """Make the kernel once cold and twice warm, and measure."""
    device = torch.device(options.device)
    network = network_of(options.backbone, device)
    size, n, outputs = network.backbone.image_size, options.pictures, options.outputs
    pixels = torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(1)).to(device)
    eye = Eye(network, lambda indices: pixels[torch.from_numpy(indices)])
    part = Part(tuple(range(n)), tuple(i % outputs for i in range(n)))
    proxy = ProxyHead(network.width, outputs).to(device)
    config = MonitorConfig(memory_gb=options.memory, gradients="sketch" if form == "sketch" else "exact")  # fmt: skip
    plan = fitted("full", network, config, n * outputs)
    if form in ("exact", "vectors"):  # kept whole, however much that takes
        plan = replace(plan, columns=0)
    make = partial(kernel_of, form, network, eye, part, proxy, plan)
    before = peak(device)
    parts = make()
    used, times = peak(device) - before, []
    for _ in range(2):
        times += [timed(make, device)]
    np.savez(keep, **{name: each.cpu().numpy() for name, each in zip(("closed", "blocks"), parts, strict=True)})  # fmt: skip
    steps = [timed(partial(step, network, pixels[:BATCH]), device) for _ in range(4)]
    return {"seconds": min(times), "step": min(steps[1:]), "memory": used, "piece": plan.piece}


def step(network: Network, pixels: Tensor) -> None:
    network.train()
    network(pixels).main.square().sum().backward()
    network.zero_grad()
    network.eval()


def timed(make, device: torch.device) -> float:
    began = time.perf_counter()
    make()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def peak(device: torch.device) -> float:
    """The most memory so far in GB: of the process, or of the GPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def compare(options: argparse.Namespace) -> None:
    say(f"\n{options.backbone} on {options.device}, {options.pictures} pictures, {options.outputs} outputs")  # fmt: skip
    kernels, told = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMS:
            keep = Path(folder) / f"{form}.npz"
            arguments = [f"--{key}={value}" for key, value in vars(options).items() if value]
            command = [sys.executable, "-m", "tests.benchmarks.bench_kernel", *arguments]
            done = subprocess.run([*command, f"--form={form}", f"--keep={keep}"], capture_output=True, text=True, check=True)  # fmt: skip
            told[form], kernels[form] = json.loads(done.stdout), dict(np.load(keep))
    say("| form | seconds | training steps | peak GB | pictures at once | error of adapters and prompts | of the whole |")  # fmt: skip
    say("|---|---|---|---|---|---|---|")
    for form in FORMS:
        errors = [error_of(form, kernels, names, options.pictures) for names in (("blocks",), ("closed", "blocks"))]  # fmt: skip
        facts = told[form]
        say(f"| {form} | {facts['seconds']:.2f} | {facts['seconds'] / facts['step']:.1f} | {facts['memory']:.2f} | "
            f"{facts['piece']} | {errors[0]:.3f} | {errors[1]:.4f} |")  # fmt: skip


def error_of(form: str, kernels: dict, names: tuple[str, ...], pictures: int) -> float:
    """The relative error in the Frobenius norm against the exact kernel, or its trace kernel."""
    found, exact = (sum(kernels[each][name] for name in names) for each in (form, "exact"))
    if form == "vectors":
        exact = traced(torch.from_numpy(exact), pictures).numpy()
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--outputs", type=int, default=10)
    parser.add_argument("--memory", type=float, default=1.0)
    parser.add_argument("--backbone", default="sample")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--form", default="")
    parser.add_argument("--keep", default="")
    options = parser.parse_args()
    if options.form:
        say(json.dumps(one(options.form, options, Path(options.keep))))
        return
    compare(options)
    if torch.cuda.is_available():
        options.backbone, options.device = "random:vit_base_patch16_224?seed=1", "cuda"
        compare(options)


if __name__ == "__main__":
    main()
