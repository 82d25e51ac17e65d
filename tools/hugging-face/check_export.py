"""Whether PyTorch computes of exported models what webmoe does: python3 check_export.py FOLDER (of reference-models.ts).

With transformers each folder is opened by AutoModelForCausalLM; without it the same modelling file is loaded with stand-ins for
transformers' base classes. Likewise safetensors files are read by `safetensors` where it is installed, and by a reader of this file.
"""

import importlib.util
import json
import math
import struct
import sys
import types
from pathlib import Path

import torch
import torch.nn.functional as F

TOLERANCE = 1e-4


def read_safetensors(path):
    """The format's own description: a length, a JSON header, bytes."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    kinds = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "U32": torch.int32}
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(data[start:end]), dtype=kinds[entry["dtype"]]).view(entry["shape"])
    return tensors


def load_tensors(path):
    own = read_safetensors(path)
    try:
        from safetensors.torch import load_file
    except ImportError:
        return own, "own reader of safetensors"
    theirs = load_file(path)
    assert own.keys() == theirs.keys() and all(torch.equal(own[name], theirs[name]) for name in own), "the readers disagree"
    return theirs, "safetensors"


def stand_in():
    """As much of transformers as the modelling file touches."""
    package, outputs = types.ModuleType("transformers"), types.ModuleType("transformers.modeling_outputs")

    class PretrainedConfig:
        def __init__(self, **kwargs):
            self.__dict__.update(kwargs)

    class PreTrainedModel(torch.nn.Module):
        def __init__(self, config):
            super().__init__()
            self.config = config

        def post_init(self):
            self.apply(self._init_weights)

    package.PretrainedConfig, package.PreTrainedModel, package.GenerationMixin = PretrainedConfig, PreTrainedModel, type("GenerationMixin", (), {})
    outputs.CausalLMOutput = types.SimpleNamespace
    sys.modules |= {"transformers": package, "transformers.modeling_outputs": outputs}


def attention(q, k, v, attn_mask=None, is_causal=False):
    """For PyTorch before 2.0."""
    length = q.shape[-2]
    mask = torch.ones(length, length, dtype=torch.bool).tril() if is_causal else attn_mask
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return scores.masked_fill(~mask, -math.inf).softmax(-1) @ v


def open_model(folder):
    try:
        import transformers
    except ImportError:
        stand_in()
        import transformers
    if hasattr(transformers, "AutoModelForCausalLM"):
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)
        return model, f"transformers {transformers.__version__}"
    spec = importlib.util.spec_from_file_location("modeling_webmoe", folder / "modeling_webmoe.py")
    modeling = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(modeling)
    config = json.loads((folder / "config.json").read_text())
    model = modeling.WebmoeForCausalLM(modeling.WebmoeConfig(**config)).to(getattr(torch, config["torch_dtype"]))
    model.load_state_dict(load_tensors(folder / "model.safetensors")[0])  # strict: no name may be missing or left over
    return model, "stand-ins for transformers"


def check(folder):
    kind = folder.name.rsplit("-", 1)[1]
    tensors, reader = load_tensors(folder / "model.safetensors")
    model, path = open_model(folder)
    state = model.state_dict()
    assert state.keys() == tensors.keys(), sorted(state.keys() ^ tensors.keys())
    reference = json.loads((folder / "reference.json").read_text())
    tokens, expected = torch.tensor([reference["tokens"]]), torch.tensor(reference["logits"])
    model = model.float().eval()
    if kind == "f32":
        with torch.no_grad():
            logits = model(tokens).logits[0]
            left = torch.zeros(1, 3, dtype=torch.long)
            padded = model(torch.cat([left, tokens], 1), torch.cat([left, torch.ones_like(tokens)], 1)).logits[0, 3:]
        worst, shifted = ((x - expected).abs().max().item() for x in (logits, padded))
        fine = worst < TOLERANCE and shifted < TOLERANCE
        found = f"logits up to {expected.abs().max().item():.2f}, largest difference {worst:.1e}, left-padded {shifted:.1e}"
    else:
        # A rounded weight may send a token to another expert, so what is compared is the rounding itself, bit for bit.
        exact, _ = load_tensors(folder.with_name(folder.name.replace(f"-{kind}", "-f32")) / "model.safetensors")
        fine = all(torch.equal(tensor, exact[name].to(tensor.dtype)) and tensor.dtype != torch.float32 for name, tensor in tensors.items())
        found = "every number rounded as PyTorch rounds"
    model.train()
    loss = model(tokens, labels=tokens).loss
    loss.backward()
    # An expert without tokens has a gradient of zero, so that FSDP reduces alike on every rank.
    missing = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    fine = fine and math.isfinite(loss.item()) and not missing
    print(f"{'ok ' if fine else 'BAD'} {folder.name:30} {found}; loss {loss.item():.3f}, gradients missing: {missing or 'none'}")
    return fine, f"{path}; {reader}"


if __name__ == "__main__":
    if not hasattr(F, "scaled_dot_product_attention"):
        F.scaled_dot_product_attention = attention
    folders = sorted(path.parent for path in Path(sys.argv[1]).glob("*/reference.json"))
    results = [check(folder) for folder in folders]
    good = sum(fine for fine, _ in results)
    print(f"{good} of {len(results)} exports agree (PyTorch {torch.__version__}; {', '.join({path for _, path in results})})")
    sys.exit(0 if results and good == len(results) else 1)
