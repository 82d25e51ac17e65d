import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { CORPORA } from "@webmoe/data/node";
import type { Config } from "./config/schema";
import { isRouterFile } from "./router-file";
import { VERSION } from "./version";

/** What config.json of a run says: all that repeats it, from which folder, and with what. */
export function runRecord(config: Config) {
  return { config, folder: process.cwd(), versions: { webmoe: VERSION, node: process.version } };
}

/** Where a run was started, which its paths are relative to, and where it is kept. */
export interface RunPlaces {
  /** Undefined for runs that do not say it, as those of the page. */
  began?: unknown;
  run: string;
}

/**
 * The configuration of a saved run with its texts and its router's file as they are found from here: where they were when the run
 * began, or else in the run's own folder. What is in neither place stays as it is said.
 */
export function findRunFiles(config: Config, places: RunPlaces): Config {
  const text = (name: string) => (isTextFile(name) ? findFile(name, places) : name);
  const { data, classification, router, start } = config;
  return {
    ...config,
    data: text(data),
    classification: {
      ...classification,
      ...(classification.validation && { validation: text(classification.validation) }),
    },
    router: { ...router, name: isRouterFile(router.name) ? findFile(router.name, places) : router.name },
    start: { ...start, ...(start.from && { from: findFile(start.from, places) }) },
  };
}

const isTextFile = (name: string) => !CORPORA.includes(name) && name !== "spam" && !name.startsWith("hf:");

function findFile(name: string, { began, run }: RunPlaces): string {
  const places = [resolve(typeof began === "string" ? began : "", name), join(run, basename(name))];
  const found = places.find((path) => existsSync(path));
  return found === undefined || found === resolve(name) ? name : found;
}
