"""A mixture-of-experts language model trained by webmoe, for Hugging Face's transformers.

Per block: x += attention(norm(x)); x += experts(norm(x)), where a router chooses experts for each token. The recurrent router (Qiu
et al. 2024, arXiv 2408.06793) hands a state from each block's router to the next. Parameters have the names of model.safetensors.
"""

import torch
import torch.nn.functional as F
from torch import nn
from transformers import GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

ACTIVATIONS = {"silu": F.silu, "gelu": lambda x: F.gelu(x, approximate="tanh"), "relu": F.relu}


class WebmoeConfig(PretrainedConfig):
    model_type = "webmoe"

    def __init__(self, vocab_size=256, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=64,
                 num_experts=4, num_experts_per_tok=2, moe_intermediate_size=64, intermediate_size=128, shared_intermediate_size=0,
                 dense_layers=(), hidden_act="silu", gated_experts=True, norm_topk_prob=True, router=None, router_aux_loss_coef=0.0,
                 router_z_loss_coef=0.0, rope_theta=10000.0, rms_norm_eps=1e-5, initializer_range=0.02, **kwargs):
        self.vocab_size, self.hidden_size = vocab_size, hidden_size
        self.num_hidden_layers, self.num_attention_heads = num_hidden_layers, num_attention_heads
        self.max_position_embeddings = max_position_embeddings
        self.num_experts, self.num_experts_per_tok = num_experts, num_experts_per_tok
        self.moe_intermediate_size, self.intermediate_size = moe_intermediate_size, intermediate_size
        self.shared_intermediate_size, self.dense_layers = shared_intermediate_size, list(dense_layers)
        self.hidden_act, self.gated_experts, self.norm_topk_prob = hidden_act, gated_experts, norm_topk_prob
        self.router = dict(router or {"name": "linear"})
        self.router_aux_loss_coef, self.router_z_loss_coef = router_aux_loss_coef, router_z_loss_coef
        self.rope_theta, self.rms_norm_eps, self.initializer_range = rope_theta, rms_norm_eps, initializer_range
        super().__init__(**{"tie_word_embeddings": False, "use_cache": False, **kwargs})


class RMSNorm(nn.Module):
    def __init__(self, dim, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        y = x.float()
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + self.eps)
        return (y * self.weight.float()).to(x.dtype)


class Attention(nn.Module):
    """Causal attention with rotary positions in half-split pairs."""

    def __init__(self, config):
        super().__init__()
        self.heads, self.theta = config.num_attention_heads, config.rope_theta
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            self.add_module(name, nn.Linear(config.hidden_size, config.hidden_size, bias=False))

    def rotated(self, x, positions):
        half = x.shape[-1] // 2
        frequency = self.theta ** (-torch.arange(half, dtype=torch.float32, device=x.device) / half)
        angle = (positions[..., None].float() * frequency)[:, None]  # [B, 1, T, half]
        a, b = x.float().split(half, -1)
        return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1).to(x.dtype)

    def forward(self, x, positions, mask):
        batch, length, dim = x.shape
        split = lambda y: y.view(batch, length, self.heads, dim // self.heads).transpose(1, 2)
        q, k = (self.rotated(split(proj(x)), positions) for proj in (self.q_proj, self.k_proj))
        y = F.scaled_dot_product_attention(q, k, split(self.v_proj(x)), attn_mask=mask, is_causal=mask is None)
        return self.o_proj(y.transpose(1, 2).reshape(batch, length, dim))


class FeedForward(nn.Module):
    """down(act(gate x) * up x), or without a gate down(act(up x))."""

    def __init__(self, dim, hidden, activation, gated=True):
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        if gated:
            self.gate_proj = nn.Linear(dim, hidden, bias=False)
        self.up_proj = nn.Linear(dim, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, dim, bias=False)
        self.gated = gated

    def forward(self, x):
        up = self.up_proj(x)
        return self.down_proj(self.activation(self.gate_proj(x)) * up if self.gated else self.activation(up))


class GruCell(nn.Module):
    """torch.nn.GRUCell; one for all layers."""

    def __init__(self, inputs, width):
        super().__init__()
        self.inputWeight, self.hiddenWeight = nn.Parameter(torch.empty(3 * width, inputs)), nn.Parameter(torch.empty(3 * width, width))
        self.inputBias, self.hiddenBias = nn.Parameter(torch.empty(3 * width)), nn.Parameter(torch.empty(3 * width))

    def forward(self, x, h):
        i = F.linear(x, self.inputWeight.float(), self.inputBias.float()).chunk(3, -1)
        s = F.linear(h, self.hiddenWeight.float(), self.hiddenBias.float()).chunk(3, -1)
        r, z = torch.sigmoid(i[0] + s[0]), torch.sigmoid(i[1] + s[1])
        n = torch.tanh(i[2] + r * s[2])
        return (1 - z) * n + z * h


class SharedRouter(nn.Module):
    """What all layers' routers share."""

    def __init__(self, config):
        super().__init__()
        router, sparse = config.router, len(config.dense_layers) < config.num_hidden_layers
        if sparse and router["name"] == "recurrent":
            self.gru = GruCell(router["dim"] if router["projection"] == "layer" else config.hidden_size, router["dim"])

    def forward(self, x, h):
        return self.gru(x, h)


class Router(nn.Module):
    """Scores of every expert for every token in float32, and what the next layer's router sees."""

    def __init__(self, config):
        super().__init__()
        self.options, dim, experts = config.router, config.hidden_size, config.num_experts
        name, bias = self.options["name"], self.options.get("bias", False)
        parameter = lambda *shape: nn.Parameter(torch.empty(*shape))
        if name == "recurrent":
            width = self.options["dim"]
            if self.options["projection"] == "layer":
                self.projection = parameter(width, dim)
                self.projectionBias = parameter(width) if bias else None
            self.gate, self.gateBias = parameter(experts, width), parameter(experts) if bias else None
        elif name == "linear":
            self.weight, self.bias = parameter(experts, dim), parameter(experts) if bias else None
        elif name in ("xmoe", "cosine"):
            width = self.options["dim"] if name == "xmoe" else dim
            if name == "xmoe":
                self.projection = parameter(width, dim)
            self.experts = parameter(experts, width)
            if self.options["learnTemperature"]:
                self.temperature = parameter(1)  # FSDP shards no scalars
        else:
            raise ValueError(f"router: needs recurrent, linear, xmoe or cosine, got {name!r}")

    def forward(self, x, shared, carry):
        x, name = x.float(), self.options["name"]
        if name == "linear":
            return F.linear(x, self.weight.float(), None if self.bias is None else self.bias.float()), None
        if name == "recurrent":
            return self.recurrent(x, shared, carry)
        token = F.linear(x, self.projection.float()) if name == "xmoe" else x
        tau = self.temperature.float().clamp(min=0.01) if self.options["learnTemperature"] else max(0.01, self.options["temperature"])
        unit = lambda rows: rows * rows.pow(2).sum(-1, keepdim=True).clamp(min=1e-12).rsqrt()
        return F.linear(unit(token), unit(self.experts.float())) / tau, None

    def recurrent(self, x, shared, carry):
        options, (h, before) = self.options, carry or (None, None)
        if options["projection"] == "layer":
            x = F.linear(x, self.projection.float(), None if self.projectionBias is None else self.projectionBias.float())
        if h is None:
            h = x.new_zeros(*x.shape[:-1], options["dim"])
        h = shared(x, h.detach() if options["detachState"] else h)
        own = F.linear(h, self.gate.float(), None if self.gateBias is None else self.gateBias.float())
        logits = own
        if before is not None and options["residual"]:
            logits = own + options["residual"] * (before.detach() if options["detachResidual"] else before)
        return logits, (h if options["state"] else None, own)


class SparseMoe(nn.Module):
    """Each token's best experts, weighted; and the shared expert where there is one."""

    def __init__(self, config):
        super().__init__()
        kind = (config.hidden_act, config.gated_experts)
        self.top_k, self.renormalize = config.num_experts_per_tok, config.norm_topk_prob
        self.gate = Router(config)
        self.experts = nn.ModuleList(FeedForward(config.hidden_size, config.moe_intermediate_size, *kind) for _ in range(config.num_experts))
        shared = config.shared_intermediate_size
        self.shared_expert = FeedForward(config.hidden_size, shared, *kind) if shared else None

    def forward(self, x, shared, carry):
        logits, carry = self.gate(x, shared, carry)
        weight, chosen = logits.softmax(-1).topk(self.top_k, -1)
        if self.renormalize:
            weight = weight / weight.sum(-1, keepdim=True)
        y = torch.zeros_like(x)
        # Every expert runs on every rank, also on no token at all, so that sharded parameters are gathered alike everywhere.
        for index, expert in enumerate(self.experts):
            token, place = (chosen == index).nonzero(as_tuple=True)
            y = y.index_add(0, token, (expert(x[token]).float() * weight[token, place, None]).to(x.dtype))
        return (y if self.shared_expert is None else y + self.shared_expert(x)), logits, chosen, carry


class WebmoeDecoderLayer(nn.Module):
    def __init__(self, config, dense):
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = FeedForward(config.hidden_size, config.intermediate_size, "silu") if dense else SparseMoe(config)
        self.dense = dense

    def forward(self, x, positions, mask, shared, carry):
        x = x + self.self_attn(self.input_layernorm(x), positions, mask)
        u = self.post_attention_layernorm(x)
        if self.dense:
            return x + self.mlp(u), None, None, carry
        y, logits, chosen, carry = self.mlp(u.flatten(0, 1), shared, carry)
        return x + y.view_as(x), logits, chosen, carry


class WebmoePreTrainedModel(PreTrainedModel):
    config_class = WebmoeConfig
    base_model_prefix = "model"
    _no_split_modules = ["WebmoeDecoderLayer"]

    def _init_weights(self, module):
        for name, parameter in module.named_parameters(recurse=False):
            if isinstance(module, RMSNorm):
                nn.init.ones_(parameter)
            elif name == "temperature":
                nn.init.constant_(parameter, self.config.router["temperature"])
            else:
                nn.init.normal_(parameter, std=self.config.initializer_range)


class WebmoeModel(WebmoePreTrainedModel):
    """The blocks: final states [B, T, D], and for each MoE layer its scores [B T, E] and choices [B T, K]."""

    def __init__(self, config):
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(WebmoeDecoderLayer(config, index in config.dense_layers) for index in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.router = SharedRouter(config)
        self.post_init()

    def forward(self, input_ids, attention_mask=None):
        batch, length = input_ids.shape
        positions = torch.arange(length, device=input_ids.device).expand(batch, length)
        mask = None
        if attention_mask is not None:
            positions = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)
            causal = torch.ones(length, length, dtype=torch.bool, device=input_ids.device).tril()
            own = torch.eye(length, dtype=torch.bool, device=input_ids.device)  # a row of padding sees itself, which is no NaN
            mask = (causal & attention_mask.bool()[:, None, :] | own)[:, None]
        x, carry, routed = self.embed_tokens(input_ids), None, []
        for layer in self.layers:
            x, logits, chosen, carry = layer(x, positions, mask, self.router, carry)
            if logits is not None:
                routed.append((logits, chosen))
        return self.norm(x), routed


class WebmoeForCausalLM(WebmoePreTrainedModel, GenerationMixin):
    def __init__(self, config):
        super().__init__(config)
        self.model = WebmoeModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self):
        return self.model.embed_tokens

    def set_input_embeddings(self, value):
        self.model.embed_tokens = value

    def get_output_embeddings(self):
        return self.lm_head

    def prepare_inputs_for_generation(self, input_ids, attention_mask=None, **kwargs):
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    def forward(self, input_ids, attention_mask=None, labels=None, **kwargs):
        x, routed = self.model(input_ids, attention_mask)
        logits = self.lm_head(x)
        loss = None
        if labels is not None:
            # As in transformers, labels are the tokens themselves: each place is to find the next one; -100 does not count.
            loss = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten())
            loss = loss + self.router_losses(routed, attention_mask)
        return CausalLMOutput(loss=loss, logits=logits)

    def router_losses(self, routed, attention_mask):
        """Switch balance loss E sum_e f_e p_e and router z-loss, weighted; means over layers, padding left out."""
        config, total = self.config, 0.0
        for logits, chosen in routed:
            keep = torch.ones(len(logits), device=logits.device) if attention_mask is None else attention_mask.flatten().float()
            tokens = keep.sum().clamp(min=1)
            share = (F.one_hot(chosen, config.num_experts).sum(1) * keep[:, None]).sum(0) / (tokens * config.num_experts_per_tok)
            probability = (logits.softmax(-1) * keep[:, None]).sum(0) / tokens
            balance = config.num_experts * (share * probability).sum()
            z = (logits.logsumexp(-1).pow(2) * keep).sum() / tokens
            total = total + (config.router_aux_loss_coef * balance + config.router_z_loss_coef * z) / len(routed)
        return total
