// Shaders that not every page needs are loaded when a program needs them: those on matrix units, which browsers have behind a
// flag alone, those written for adapters that are software, attention but for its choice of a form, the parts of experts with many
// rows, what few routers do, and what text is written with. A page with an ordinary GPU that trains does without a fifth of all
// code. A module that is loaded so imports as little as it can: what it shares with others, and is not handed by them, a page
// loads as a file of its own.

import { GpuError } from "../errors";
import type { KernelTarget } from "../kernel";

/** Modules of kernels on matrix units. */
export interface MatrixKernels {
  attention: typeof import("./attention-matrix") & typeof import("./attention-matrix-backward");
  matmul: typeof import("./matmul-matrix");
  splits: typeof import("./splits-on-matrix-units");
  tiles: typeof import("./tile-of-halves");
}

/** Modules of kernels of the serial class alone. */
export interface SerialKernels {
  decode: typeof import("./attention-decode-serial");
  embedding: typeof import("./embedding-serial");
  matmul: typeof import("./matmul-serial");
  sort: typeof import("./expert-sort-serial");
}

/** Attention with vectors, and its gradients. */
type AttentionWithVectors = typeof import("./attention-vector") & typeof import("./attention-vector-backward");

/** Attention in tiles, and its gradients. */
type AttentionInTiles = typeof import("./attention-tiled") & typeof import("./attention-tiled-backward");

/** Modules of kernels that text is written with. */
export interface DecodeKernels {
  assignments: typeof import("./assignment-shaders");
  attention: typeof import("./attention-decode-tiled");
  draw: typeof import("./draw-token-shader");
}

/** What the recording under way has missed. */
const missed = new Set<Shelf<unknown>>();

/** Modules that are loaded once, by `withKernels` where nothing did before. */
export class Shelf<M> {
  private modules?: M;

  constructor(private readonly fetch: () => Promise<M>) {}

  /** The modules; where they are not loaded the recording ends here, and `withKernels` begins it again. */
  take(): M {
    if (this.modules !== undefined) return this.modules;
    missed.add(this);
    throw new GpuError(
      "kernels: those of this program are not loaded: record it with `withKernels`, or open a device first",
    );
  }

  /** In place of loading: the modules themselves. */
  put(modules: M): void {
    this.modules = modules;
  }

  /** The modules, where they are loaded. */
  get loaded(): M | undefined {
    return this.modules;
  }

  /** Load the modules unless they are there. */
  async load(): Promise<void> {
    this.modules ??= await this.fetch();
  }
}

const matrix = new Shelf<MatrixKernels>(async () => {
  const [attention, attentionBackward, matmul, splits, tiles] = await Promise.all([
    import("./attention-matrix"),
    import("./attention-matrix-backward"),
    import("./matmul-matrix"),
    import("./splits-on-matrix-units"),
    import("./tile-of-halves"),
  ]);
  return { attention: { ...attention, ...attentionBackward }, matmul, splits, tiles };
});

const serial = new Shelf<SerialKernels>(async () => {
  const [decode, embedding, matmul, sort] = await Promise.all([
    import("./attention-decode-serial"),
    import("./embedding-serial"),
    import("./matmul-serial"),
    import("./expert-sort-serial"),
  ]);
  return { decode, embedding, matmul, sort };
});

const attentionByOne = new Shelf(() => import("./attention-serial"));

const attentionWithVectors = new Shelf<AttentionWithVectors>(async () => {
  const [attention, backward] = await Promise.all([
    import("./attention-vector"),
    import("./attention-vector-backward"),
  ]);
  return { ...attention, ...backward };
});

const attentionInTiles = new Shelf<AttentionInTiles>(async () => {
  const [attention, backward] = await Promise.all([import("./attention-tiled"), import("./attention-tiled-backward")]);
  return { ...attention, ...backward };
});

const selections = new Shelf(() => import("./selection-shaders"));

const partList = new Shelf(() => import("./expert-part-list"));

const spares = new Shelf(() => import("./add-spares-shader"));

const decode = new Shelf<DecodeKernels>(async () => {
  const [assignments, attention, draw] = await Promise.all([
    import("./assignment-shaders"),
    import("./attention-decode-tiled"),
    import("./draw-token-shader"),
  ]);
  return { assignments, attention, draw };
});

const momentum = new Shelf(() => import("./momentum-shaders"));

const rounding = new Shelf(() => import("../program/rounding"));

/** Load what programs for a target are made of, before anything is recorded for it. */
export async function loadKernels({ kernelClass, matrixUnits }: KernelTarget): Promise<void> {
  await Promise.all([kernelClass === "serial" && serial.load(), matrixUnits && matrix.load()]);
}

/** What `record` returns: where it ends for want of kernels they are loaded, and it is called once more. */
export async function withKernels<T>(record: () => T): Promise<T> {
  for (;;) {
    missed.clear();
    try {
      return record();
    } catch (error) {
      if (missed.size === 0) throw error;
      await Promise.all([...missed].map((shelf) => shelf.load()));
    }
  }
}

/** In place of loading: the modules themselves. */
export function provideKernels(modules: {
  matrix: MatrixKernels;
  serial: SerialKernels;
  attentionByOne: typeof import("./attention-serial");
  attentionWithVectors: AttentionWithVectors;
  attentionInTiles: AttentionInTiles;
  selections: typeof import("./selection-shaders");
  partList: typeof import("./expert-part-list");
  spares: typeof import("./add-spares-shader");
  decode: DecodeKernels;
  momentum: typeof import("./momentum-shaders");
  rounding: typeof import("../program/rounding");
}): void {
  matrix.put(modules.matrix);
  serial.put(modules.serial);
  attentionByOne.put(modules.attentionByOne);
  attentionWithVectors.put(modules.attentionWithVectors);
  attentionInTiles.put(modules.attentionInTiles);
  selections.put(modules.selections);
  partList.put(modules.partList);
  spares.put(modules.spares);
  decode.put(modules.decode);
  momentum.put(modules.momentum);
  rounding.put(modules.rounding);
}

/** The kernels on matrix units. */
export const matrixKernels = () => matrix.take();

/** Load the kernels of a whole GRU cell on matrix units. */
export const loadGruCell = () => import("./gru-cell");

/** The kernels of the serial class that other devices do without. */
export const serialKernels = () => serial.take();

/** Attention with one invocation for each query or key. */
export const serialAttention = () => attentionByOne.take();

/** Attention with vectors of four. */
export const vectorAttention = () => attentionWithVectors.take();

/** Attention in tiles, for heads of any width. */
export const tiledAttention = () => attentionInTiles.take();

/** The shaders of what few routers do. */
export const selectionShaders = () => selections.take();

/** The list of parts for experts with many rows. */
export const cutPartList = () => partList.take();

/** What adds the parts of gradients. */
export const spareKernels = () => spares.take();

/** The kernels that text is written with. */
export const decodeKernels = () => decode.take();

/** The kernels of optimizers other than AdamW, and of averaged weights. */
export const momentumKernels = () => momentum.take();

/** What programs in mixed precision round with. */
export const roundingParts = () => rounding.take();

/** As `roundingParts`, where anything has asked for them. */
export const loadedRounding = () => rounding.loaded;
