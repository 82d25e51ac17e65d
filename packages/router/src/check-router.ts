// The conformance suite of routers. It asks for a device, so that it runs in a page as it does in a test.

import {
  add,
  compile,
  type DeviceTensor,
  f32,
  fold,
  gradients,
  type HostArray,
  type Init,
  key,
  leaves,
  type MapLeaves,
  materialize,
  mul,
  readTensor,
  release,
  sizeOf,
  sum,
  type Tensor,
  u32,
  uniforms,
  writeTensor,
} from "@webmoe/tensor";
import type { Gpu } from "@webmoe/webgpu";
import type { AnyRouter, RouterShape, Scores } from "./router";
import { type AllScores, RouterJudge } from "./router-judge";
import { type SelectionValues, selectionFault } from "./selection-fault";
import { type Selector, softmaxTopK } from "./selector";

/** What `checkRouter` builds the router for. */
export interface RouterCheck {
  /** Sizes of the model that the router is tried in, where they matter to it. */
  shape?: Partial<RouterShape>;
  /** The device to try it on. */
  gpu: Gpu;
  /** Largest difference between two ways to the same score, relative to the larger of 1 and it; default 1e-5. */
  tolerance?: number;
  /** Paths of learned tensors whose gradient is zero on purpose, as `layers.0.name`. */
  idle?: string[];
}

/** Values for some tokens: what each layer's experts receive, [T, D] each, and the token ids. */
interface Batch {
  xs: Float32Array[];
  tokens: Uint32Array;
}

/** The same inside a program; `cotangent0` and on weigh the logits of a layer. */
type BatchTensors = Record<`x${number}` | `cotangent${number}`, Tensor> & { tokens: Tensor<"u32">; mask: Tensor };

/** Parameters and buffers on the device, or handles of them. */
interface State<L> {
  shared: MapLeaves<unknown, L>;
  layers: MapLeaves<unknown, L>[];
  buffers?: MapLeaves<unknown, L>;
}

const TOKENS = 6;

/** The token that is padding where a selection is checked. */
const PADDING = 2;

/**
 * Prove that a router keeps its contract: shapes, scores that are numbers and leave every token enough experts, one seed
 * gives one result, scores follow their tokens, the gradient reaches every learned tensor, the carry flows and is optional
 * at the first layer, zeros give no NaN, parts of a batch get the scores of the whole, the choice is sound and leaves padding
 * out, and buffers keep their shapes. Throws `checkRouter(NAME): ...` at the first promise that is broken.
 */
export async function checkRouter(router: AnyRouter, options: RouterCheck): Promise<void> {
  const shape: RouterShape = { dim: 5, experts: 4, layers: 3, topK: 2, vocab: 11, ...options.shape };
  const { tolerance = 1e-5, idle = [] } = options;
  const judge = new RouterJudge(router, shape, tolerance, idle);
  const trial = new RouterTrial(router, shape, options.gpu, judge);
  const state = await trial.initialState();
  try {
    const batch = {
      xs: Array.from({ length: shape.layers }, (_, layer) => numbers([TOKENS, shape.dim], 11 + layer)),
      tokens: Uint32Array.from({ length: TOKENS }, (_, t) => (t * 7 + 1) % shape.vocab),
    };
    const zeros = { ...batch, xs: batch.xs.map((x) => new Float32Array(x.length)) };
    const whole = await trial.scores(state, batch);
    judge.usable("scores", whole.scores);
    judge.same("one input must give one result", (await trial.scores(state, batch)).scores, whole.scores);
    judge.usable("scores of tokens that are zeros", (await trial.scores(state, zeros)).scores);

    const order = [3, 0, 5, 1, 4, 2];
    const permuted = await trial.scores(state, trial.pick(batch, order));
    const expected = whole.scores.map((scores) => rows(scores, shape.experts, order));
    judge.same("permuting tokens must permute their scores", permuted.scores, expected);
    for (const part of [[0], [1, 2, 3, 4, 5]]) {
      const alone = await trial.scores(state, trial.pick(batch, part));
      const cut = whole.scores.map((scores) => rows(scores, shape.experts, part));
      judge.same("parts of a batch must get the scores of the whole", alone.scores, cut);
    }

    const [first = new Float32Array(), ...later] = batch.xs;
    const shifted = await trial.scores(state, { ...batch, xs: [first.map((value) => value - 1), ...later] });
    judge.carryFlows(whole, shifted);

    judge.gradients(await trial.gradientsOf(state, batch), "reach");
    judge.gradients(await trial.gradientsOf(state, zeros), "be finite");
    await trial.selections(state, batch);
    await trial.nextBuffers(state);
  } finally {
    release(state);
  }
}

/** Programs that run a router on a device. */
class RouterTrial {
  constructor(
    readonly router: AnyRouter,
    readonly shape: RouterShape,
    readonly gpu: Gpu,
    readonly judge: RouterJudge,
  ) {}

  /** Parameters near their initial values, but away from zero, where a missing term would not show. */
  async initialState(): Promise<State<DeviceTensor>> {
    const { router, shape } = this;
    const [initial, again] = [router.init(shape, key(3)), router.init(shape, key(3))];
    if (initial.layers?.length !== shape.layers) {
      this.judge.fail(`init must give parameters for ${shape.layers} layers, got ${initial.layers?.length ?? "none"}`);
    }
    const described = (tree: unknown) => JSON.stringify(leaves<Init>(tree));
    if (described(initial) !== described(again)) this.judge.fail("one seed must give the same initial values twice");
    const state: State<DeviceTensor> = await materialize(this.gpu, initial, `checkRouter(${router.name})`);
    for (const [index, [, leaf]] of leaves<DeviceTensor>([state.shared, state.layers]).entries()) {
      const noise = numbers(leaf.shape, 101 + index);
      writeTensor(
        leaf,
        (await readTensor(leaf)).map((value, i) => value + 0.2 * noise[i]!),
      );
    }
    return state;
  }

  /** Score all layers in turn, handing on the carry. */
  scoreAll({ shared, layers, buffers }: State<Tensor>, { tokens, mask, ...xs }: BatchTensors) {
    let carry: unknown;
    return layers.map((layer, index): Scores<unknown> => {
      const x = xs[`x${index}`]!;
      const given = { x, shared, layer, buffers, index, carry, tokens, mask, training: true };
      const result = this.judge.attempt(`score at layer ${index}${index === 0 ? ", without a carry," : ""}`, () =>
        this.router.score(given),
      );
      const expected = [x.shape[0], this.shape.experts].join(", ");
      if (result.logits?.shape.join(", ") !== expected) {
        this.judge.fail(
          `logits of layer ${index} must have shape [${expected}], got [${result.logits?.shape.join(", ") ?? ""}]`,
        );
      }
      carry = result.carry;
      return result;
    });
  }

  async scores(state: State<DeviceTensor>, batch: Batch): Promise<AllScores> {
    let carries = false;
    const scores = await this.run(state, batch, (handles, inputs) => {
      const results = this.scoreAll(handles, inputs);
      carries = results[0]?.carry !== undefined;
      return results.map(({ logits }) => logits);
    });
    return { scores: scores as HostArray[], carries };
  }

  /** Which experts are chosen with which weights, where one token is padding. */
  async selections(state: State<DeviceTensor>, batch: Batch): Promise<void> {
    const { experts, topK } = this.shape;
    const select: Selector = this.router.select ?? softmaxTopK();
    const mask = Float32Array.from(batch.tokens, (_, t) => (t === PADDING ? 0 : 1));
    const bounds: (number | undefined)[] = [];
    const chosen = await this.run(
      state,
      batch,
      (handles, inputs) =>
        this.scoreAll(handles, inputs).map(({ logits }, index) => {
          const { tokens, mask } = inputs;
          const given = { logits, mask, topK, tokens, index, buffers: handles.buffers, training: true };
          const { atMost, ...selection } = this.judge.attempt("select", () => select(given));
          bounds.push(atMost);
          return selection;
        }),
      mask,
    );
    chosen.forEach((selection, layer) => {
      const facts = { tokens: TOKENS, experts, padding: [PADDING], atMost: bounds[layer] };
      const fault = selectionFault(selection as SelectionValues, facts);
      if (fault) this.judge.fail(`${fault} (layer ${layer})`);
    });
  }

  /** What `afterStep` makes of the buffers. */
  async nextBuffers(state: State<DeviceTensor>): Promise<void> {
    const { afterStep } = this.router;
    if (!afterStep) return;
    const { layers, experts } = this.shape;
    const load = numbers([layers, experts], 71).map((value) => Math.round(8 + 8 * value));
    const inputs = { load: f32(layers, experts) };
    const before = new Map(leaves<DeviceTensor>(state.buffers).map(([path, { shape }]) => [path, shape]));
    const label = `checkRouter(${this.router.name})`;
    const program = await compile(this.gpu, { label, state, inputs }, (handles, { load }) => {
      const { shared, layers, buffers } = handles as Required<State<Tensor>>;
      const next = this.judge.attempt("afterStep", () => afterStep({ shared, layers, buffers, load, tokens: TOKENS }));
      const old = new Set(leaves<Tensor>(buffers).map(([, tensor]) => tensor));
      const changed = leaves<Tensor>(next).filter(([, tensor]) => !old.has(tensor));
      for (const [path, { shape }] of changed) {
        if (before.get(path)?.join() === shape.join()) continue;
        this.judge.fail(
          `afterStep must return buffers of the shapes they had, got [${shape.join(", ")}] for "${path}"`,
        );
      }
      return changed.map(([, tensor]) => tensor);
    });
    try {
      this.judge.finite("buffers after a step", await (await program.run({ load })).outputs);
    } finally {
      program.close();
    }
  }

  /** Gradients of a random combination of all scores, and of the router's own losses, by path. */
  async gradientsOf(state: State<DeviceTensor>, batch: Batch): Promise<[path: string, gradient: HostArray][]> {
    const learned = ({ shared, layers }: State<unknown>) => ({ shared, layers });
    const tree = await this.run(state, batch, (handles, inputs) => {
      const terms = this.scoreAll(handles, inputs).flatMap(({ logits, losses }, index) => [
        sum(mul(logits, inputs[`cotangent${index}`]!)),
        ...Object.values(losses ?? {}),
      ]);
      const loss = terms.reduce((total, term) => add(total, term));
      return this.judge.attempt("the gradient must reach every learned tensor, but", () =>
        gradients(loss, learned(handles as State<unknown>)),
      );
    });
    return leaves<DeviceTensor>(learned(state)).map(([path]) => [
      path,
      path.split(".").reduce((branch, name) => (branch as Record<string, unknown>)[name], tree as unknown) as HostArray,
    ]);
  }

  /** Trace, run once, and close a program over the state and a batch. */
  async run<O>(
    state: State<DeviceTensor>,
    { xs, tokens }: Batch,
    body: (state: State<Tensor>, inputs: BatchTensors) => O,
    mask = new Float32Array(tokens.length).fill(1),
  ): Promise<MapLeaves<O, HostArray>> {
    const { dim, experts } = this.shape;
    const count = tokens.length;
    const specs = [
      ...xs.map((_, index) => [`x${index}`, f32(count, dim)] as const),
      ...xs.map((_, index) => [`cotangent${index}`, f32(count, experts)] as const),
    ];
    const values = Object.fromEntries([
      ...xs.map((x, index) => [`x${index}`, x] as const),
      ...xs.map((_, index) => [`cotangent${index}`, numbers([count, experts], 41 + index)] as const),
    ]);
    const inputs = { ...Object.fromEntries(specs), mask: f32(count), tokens: u32(count) };
    const program = await compile(
      this.gpu,
      { label: `checkRouter(${this.router.name})`, state, inputs },
      (handles, inputs) => body(handles as State<Tensor>, inputs as BatchTensors),
    );
    try {
      const ticket = await program.run({ ...values, tokens, mask } as never);
      return await ticket.outputs;
    } finally {
      program.close();
    }
  }

  pick({ xs, tokens }: Batch, order: number[]): Batch {
    return {
      xs: xs.map((x) => rows(x, this.shape.dim, order)),
      tokens: Uint32Array.from(order, (t) => tokens[t]!),
    };
  }
}

function rows(values: HostArray, cols: number, order: number[]): Float32Array {
  return Float32Array.from(order.flatMap((row) => [...values.subarray(row * cols, (row + 1) * cols)]));
}

/** Reproducible numbers in [-1, 1). */
function numbers(shape: readonly number[], seed: number): Float32Array {
  return uniforms(fold(key(seed), "check"), sizeOf(shape)).map((value) => 2 * value - 1);
}
