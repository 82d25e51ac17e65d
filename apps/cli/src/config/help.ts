import { Help } from "commander";
import { flow } from "../terminal/flow";
import { presetValues, settingKeys } from "./keys";

const ABOUT =
  "Keys of --set and --config, with their values in nano. A router's own options are router.OPTION. " +
  "docs/configuration.md has the values that each key takes.";

/** Texts of `--help` wrap down to so many columns. */
export const minWidthToWrap = 20;

/** The keys of `--set` for `--help`, a paragraph for each group: what each means and what it is in the preset `nano`. */
export function settingsHelp(width = process.stdout.columns ?? 100): string {
  const help = Object.assign(new Help(), { minWidthToWrap });
  help.prepareContext({ helpWidth: width });
  const keys = settingKeys().filter(({ key }) => key !== "preset");
  const longest = Math.max(...keys.map(({ key }) => key.length));
  let group = "";
  const rows = keys.map(({ key, description }) => {
    const [name] = key.includes(".") ? key.split(".") : [""];
    const gap = name === group ? "" : "\n";
    group = name!;
    const value = presetValues(key)[0]!.text;
    return gap + help.formatItem(key, longest, value ? `${description} [${value}]` : description, help);
  });
  return `
${flow("", ABOUT.split(" "), " ", width)}
${rows.join("\n")}`;
}
