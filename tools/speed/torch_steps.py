"""Time PyTorch's training step in turns with other programs: python torch_steps.py path/to/moe_step.py PRESET ROUTER PRECISION

ROUTER is recurrent or linear; PRECISION is bf16, which is the whole step in a CUDA graph, or fp32, which is eager. Nothing happens on the
GPU before the first line of the standard input. When the step is ready to be timed a line says so. For every further line ("warm" or "time") a stretch of steps runs, and a line says when
it is through. At the end of the input come a line with the milliseconds of every stretch that was timed, and moe_step.py's own.
"""

import importlib.util
import json
import math
import sys
import time

import torch
import torch.nn as nn

VARIANTS = {"bf16": ("bf16", True, "graph"), "fp32": ("fp32", False, "eager")}
STRETCH = 0.1  # seconds


class StatelessCell(nn.Module):
    """In place of the GRU: hands its input on, so that a layer's gate sees the token alone."""

    def forward(self, x, _):
        return x


def on_gpu(build):
    """`build`, with initial values drawn on the GPU: on the host that takes longer than all that is timed."""

    def built(name):
        with torch.device("cuda"):
            return build(name)

    return built


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


def seconds_of(run, steps):
    start = time.perf_counter()
    for _ in range(steps):
        run()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps


def timed_on_request(run):
    """In place of moe_step.py's clock: seconds of a step, the median over the stretches that were asked for."""
    seconds_of(run, 4)
    print(json.dumps({"ready": True}), flush=True)
    rounds = []
    for line in sys.stdin:
        # Whoever had the GPU before has left its caches full of something else, so one step does not count.
        once = seconds_of(run, 1)
        seconds = seconds_of(run, max(2, math.ceil(STRETCH / once)))
        if line.strip() == "time":
            rounds.append(seconds)
        print(json.dumps({"round": line.strip()}), flush=True)
    print("rounds: " + json.dumps([1000 * seconds for seconds in rounds]), flush=True)
    return sorted(rounds)[len(rounds) // 2] if rounds else math.nan


def main(path, preset, router, precision):
    spec = importlib.util.spec_from_file_location("moe_step", path)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    sys.stdin.readline()
    print(f"versions: torch {torch.__version__}, CUDA {torch.version.cuda}", flush=True)
    bench.timed = timed_on_request
    bench.build = on_gpu(bench.build)
    if router == "linear":
        bench.build = with_linear_gate(bench.build)
    bench.variant(preset, *VARIANTS[precision])


if __name__ == "__main__":
    main(*sys.argv[1:])
