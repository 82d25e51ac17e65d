// A plug-in of typedoc: a module is named as it is imported, "@webmoe/webgpu/node" and not "webgpu/src/node".

import { join, relative } from "node:path";
import { Converter } from "typedoc";
import { publicPackages } from "./packages.mjs";
import { root } from "./setup/places.mjs";

/** What typedoc calls the module of a file. @param {string} file */
const ownName = (file) => relative(join(root, "packages"), file).replace(/(\/index)?\.ts$/, "");

const names = new Map(
  publicPackages().flatMap(({ entries, sources }) =>
    sources.map((file, index) => /** @type {const} */ ([ownName(file), entries[index] ?? ""])),
  ),
);

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) module.name = names.get(module.name) ?? module.name;
  });
}
