"""Whether exported models go on training under FSDP: torchrun --nproc-per-node 2 train_fsdp.py FOLDER (of reference-models.ts).

Every rank learns from tokens of its own. After some steps of AdamW the losses and the gathered weights must be those of one process
that takes the mean over all ranks' tokens. Through NCCL where there is a GPU for each rank, else on CPUs through Gloo.
"""

import copy
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from check_export import open_model

try:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
except Exception as error:  # PyTorch 1.13 of some distributions raises what it likes
    print(f"FSDP is not checked: needs fully_shard of PyTorch 2.6 or later, got {torch.__version__}: {error}")
    sys.exit(0)

STEPS, TOLERANCE = 3, 1e-4


def tokens_of(step, rank, vocab, device):
    generator = torch.Generator().manual_seed(1000 * step + rank)
    return torch.randint(vocab, (2, 16), generator=generator).to(device)


def train(model, losses_of):
    """The losses of some steps."""
    optimizer, losses = torch.optim.AdamW(model.parameters(), lr=1e-3), []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = losses_of(model, step)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def check(folder, rank, world, device):
    whole, path = open_model(folder)
    whole = whole.float().train().to(device)
    vocab = whole.config.vocab_size
    sharded = copy.deepcopy(whole)
    mesh = init_device_mesh(device.type, (world,))
    for layer in sharded.model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(sharded, mesh=mesh)
    if device.type == "cpu":
        sharded.set_force_sum_reduction_for_comms(True)  # Gloo takes no means

    def loss_of(model, step, rank):
        tokens = tokens_of(step, rank, vocab, device)
        return model(tokens, labels=tokens).loss

    expected = train(whole, lambda model, step: sum(loss_of(model, step, other) for other in range(world)) / world)
    losses = train(sharded, lambda model, step: loss_of(model, step, rank))
    dist.all_reduce(losses)
    parts = [parameter.to_local().numel() for parameter in sharded.parameters()]
    share = sum(parts) / sum(parameter.numel() for parameter in whole.parameters())
    weights = {name: parameter.full_tensor() for name, parameter in sharded.named_parameters()}
    difference = max((weights[name] - parameter).abs().max().item() for name, parameter in whole.named_parameters())
    worst = (losses / world - expected).abs().max().item()
    fine = worst < TOLERANCE and difference < TOLERANCE and share < 0.75 and expected[-1] < expected[0] + 1
    if rank == 0:
        print(
            f"{'ok ' if fine else 'BAD'} {folder.name:30} losses {' '.join(f'{x:.4f}' for x in expected.tolist())}, largest difference {worst:.1e}, "
            f"of a weight {difference:.1e}; a rank holds {100 * share:.0f} %"
        )
    return fine, path


if __name__ == "__main__":
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    device = torch.device("cuda", rank) if torch.cuda.device_count() >= world else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend)
    folders = sorted(path.parent for path in Path(sys.argv[1]).glob("*-f32/reference.json"))
    results = [check(folder, rank, world, device) for folder in folders]
    good = sum(fine for fine, _ in results)
    if rank == 0:
        print(f"{good} of {len(results)} exports train under FSDP as in one process ({world} ranks, {backend}, PyTorch {torch.__version__}; {results[0][1]})")
    dist.destroy_process_group()
    sys.exit(0 if results and good == len(results) else 1)
