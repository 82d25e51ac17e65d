import type { Model } from "@webmoe/model";

/** A model of the first layers of another. */
export function shallowModel({ config, resized }: Model, layers: number): Model {
  const { moe } = config;
  const denseLayers = moe.denseLayers?.filter((layer) => layer < layers);
  return resized({ layers, moe: { ...moe, ...(denseLayers && { denseLayers }) } });
}

/** What two numbers of layers take, by which deeper models are judged. */
export interface TwoDepths {
  few: number;
  more: number;
}

/** What a model of so many layers takes, where each that it has more adds what each between `few` and `more` does. */
export function atDepth({ few, more }: TwoDepths, ofFew: number, ofMore: number, layers: number): number {
  return ofMore + ((ofMore - ofFew) * (layers - more)) / (more - few);
}
