// A plug-in of typedoc: a module is named as it is imported, "@webmoe/webgpu/node" and not "webgpu/src/node".

import { Converter } from "typedoc";

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) module.name = `@webmoe/${module.name.replace("/src", "")}`;
  });
}
