import type { Model } from "@webmoe/model";

/** A model of the first layers of another. */
export function shallowModel({ config, resized }: Model, layers: number): Model {
  const { moe } = config;
  const denseLayers = moe.denseLayers?.filter((layer) => layer < layers);
  return resized({ layers, moe: { ...moe, ...(denseLayers && { denseLayers }) } });
}
