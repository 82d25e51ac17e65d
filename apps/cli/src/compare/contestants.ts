import { didYouMean } from "../did-you-mean";
import { UsageError } from "../errors";

/** A router that takes part in a comparison. */
export interface Contestant {
  /** Its name in tables and folders: what was written, unless `LABEL=` stands before it. */
  label: string;
  /** A name of the table of routers, or the path of a file. */
  router: string;
  /** Its own options, as `router.` settings: "state=false". */
  options: string[];
}

/**
 * The routers of `--routers`, separated by commas. Each is `[LABEL=]NAME[:OPTION=VALUE]…`, for example
 * `linear,recurrent,NP=recurrent:state=false,recurrent+xmoe:head.dim=8`.
 */
export function parseContestants(text: string): Contestant[] {
  const contestants = text.split(",").map((part) => parseContestant(part.trim()));
  for (const [index, { label }] of contestants.entries()) {
    if (contestants.findIndex((other) => folderName(other.label) === folderName(label)) < index) {
      throw new UsageError(`--routers: "${label}" is there twice: give one another name with LABEL=NAME:OPTION=VALUE`);
    }
  }
  return contestants;
}

/** The folder of a contestant's runs. */
export function folderName(label: string): string {
  return label.replace(/[^\w.+=-]+/g, "-").replace(/^[-.]+|-+$/g, "") || "router";
}

/** The contestant with a label; an error that names the labels there are. */
export function contestantWith(label: string, contestants: Contestant[]): Contestant {
  const found = contestants.find((contestant) => contestant.label === label);
  if (found) return found;
  const labels = contestants.map((contestant) => contestant.label);
  throw new UsageError(`--baseline: needs one of ${labels.join(", ")}, got "${label}"${didYouMean(label, labels)}`);
}

function parseContestant(text: string): Contestant {
  // A colon begins an option only before NAME=, so that paths may have colons.
  const [head, ...options] = text.split(/:(?=[\w.]+=)/);
  const [, label, router = head] = head!.match(/^([^=/\\]+)=(.+)$/) ?? [];
  if (!router || /:[\w.]*$/.test(router)) {
    throw new UsageError(`--routers: needs NAME[:OPTION=VALUE]… between commas, got "${text}"`);
  }
  return { label: label ?? text, router, options };
}
