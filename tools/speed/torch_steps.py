"""Time PyTorch's training steps for tools/speed: python torch_steps.py path/to/moe_step.py preset...

Prints what moe_step.py prints, a line a variant, the most important first: the whole step in a CUDA graph (bf16), fp32 eager, and the
graph again with a linear gate instead of the recurrent router.
"""

import importlib.util
import sys
import time

import torch
import torch.nn as nn


class StatelessCell(nn.Module):
    """In place of the GRU: hands its input on, so that a layer's gate sees the token alone."""

    def forward(self, x, _):
        return x


def with_linear_gate(build):
    """`build`, with the recurrent router of its model replaced by one linear gate a layer."""

    def linear(name):
        model, ids, tokens = build(name)
        for block in model.blocks:
            dim, experts = block.moe.w_gate.shape[1], block.moe.E
            block.moe.proj = nn.Identity()
            block.moe.gate = nn.Linear(dim, experts, bias=False, device="cuda")
            nn.init.normal_(block.moe.gate.weight, std=0.02)
        model.gru = StatelessCell()
        return model, ids, tokens

    return linear


def warm_up(seconds=2):
    """An idle GPU takes seconds to reach its clock rate."""
    x = torch.randn(4096, 4096, device="cuda")
    end = time.time() + seconds
    while time.time() < end:
        for _ in range(20):
            x @ x
        torch.cuda.synchronize()


def main(path, presets):
    spec = importlib.util.spec_from_file_location("moe_step", path)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    print(f"versions: torch {torch.__version__}, CUDA {torch.version.cuda}", flush=True)
    warm_up()
    recurrent, linear = bench.build, with_linear_gate(bench.build)
    for router, build, variant in (
        ("recurrent", recurrent, ("bf16", True, "graph")),
        ("recurrent", recurrent, ("fp32", False, "eager")),
        ("linear", linear, ("bf16", True, "graph")),
    ):
        for name in presets:
            bench.build = build
            print(f"router: {router}", flush=True)
            try:
                bench.variant(name, *variant)
            except Exception as error:
                print(f"torch {name} {variant}: failed: {str(error)[:200]}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or ["tiny", "small", "base"])
