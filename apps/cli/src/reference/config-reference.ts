import { routerNamed, routerNames } from "@webmoe/routers";
import { presetValues, type SettingKey, settingKeys } from "../config/keys";
import { markdownTable } from "./markdown-table";

/** The page docs/configuration.md, made from the schemas of the configuration and of the routers. */
export function configReference(): string {
  const keys = settingKeys().filter(({ key }) => !["preset", "router.name"].includes(key));
  const groups = new Map<string, SettingKey[]>();
  for (const key of keys) {
    const group = key.key.includes(".") ? key.key.split(".")[0]! : "";
    groups.set(group, [...(groups.get(group) ?? []), key]);
  }
  const { "": alone, ...named } = Object.fromEntries(groups);
  return `${INTRODUCTION}
## The run

${table(alone!)}
${Object.entries(named)
  .map(([name, own]) => `## ${name}\n\n${table(own)}`)
  .join("\n")}
## router

\`router.name\` is the name of a router, or the path of a file that exports one; [routers.md](routers.md) describes each. Naming
another router than the preset's drops the preset's router options. Options are \`router.OPTION\`:

${routerTable()}`;
}

const INTRODUCTION = `<!-- Made from apps/cli/src/config/schema.ts by \`npm run fix\`. -->

# Configuration

A run's configuration starts from a preset (\`nano\`, \`tiny\`, \`small\`, \`base\`). A file comes on top of it, then flags, then \`--set\`:

\`\`\`sh
webmoe train --preset tiny --config run.yaml --set optimizer.lr=1e-3
\`\`\`

The file is YAML (or JSON) with the keys of this page, as many as one wants to change:

\`\`\`yaml
preset: tiny
moe: { experts: 16, topK: 2 }
train:
  steps: 2000
\`\`\`

\`webmoe config\` prints the whole configuration as such a file. A run keeps its own in \`config.json\`, and
\`--config runs/NAME/config.json\` repeats it. Paths are relative to where the command is run.
`;

function table(keys: SettingKey[]): string {
  const rows = keys.map(({ key, values, description }) => [code(key), values, defaults(key), description]);
  return markdownTable(["key", "values", "default", "meaning"], rows);
}

function routerTable(): string {
  const rows = routerNames.flatMap((name) =>
    settingKeys(routerNamed(name)!.options).map(({ key, values, description }, index) => [
      index === 0 ? code(name) : "",
      code(key),
      values,
      description,
    ]),
  );
  return markdownTable(["router", "option", "values", "meaning"], rows);
}

const defaults = (key: string) =>
  presetValues(key)
    .map(({ preset, text }) => (preset ? `${preset} ${code(text)}` : code(text)))
    .join(", ");

const code = (text: string) => (text === "" ? "" : `\`${text}\``);
