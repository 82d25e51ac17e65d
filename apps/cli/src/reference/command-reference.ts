import type { Argument, Command, Option } from "commander";
import { markdownTable } from "./markdown-table";

/** The page docs/command-line.md, made from the same commands and flags that `--help` prints. */
export function commandReference(program: Command): string {
  const { commands } = program;
  const contents = commands.map((command) => [
    `[${command.name()}](#${command.name()})`,
    sentence(command.description()),
  ]);
  return `${INTRODUCTION}
${markdownTable(["command", "does"], contents)}
Flags that stand before the command:

${flagTable(program.createHelp().visibleOptions(program))}
${commands.map((command) => section(command)).join("\n")}`;
}

const INTRODUCTION = `<!-- Made from apps/cli/src/program.ts by \`npm run fix\`. -->

# Command line

\`webmoe\` is the binary of [@webmoe/cli](https://www.npmjs.com/package/@webmoe/cli). In a clone,
\`npm run webmoe --\` stands for it: \`npm run webmoe -- train --preset nano\`.

A command that succeeds exits with 0, one that fails with 1, and one that was called wrongly with 2. \`Ctrl-C\` ends a training run
with a checkpoint, and exits with 130. \`webmoe COMMAND --help\` prints what stands here.
[Configuration](configuration.md) has the keys of \`--set\` and \`--config\`.
`;

function section(command: Command): string {
  const help = command.createHelp();
  const argumentLines = help
    .visibleArguments(command)
    .map((argument) => [code(argumentName(argument)), argument.description]);
  const options = help.visibleOptions(command).filter(({ long }) => long !== "--help");
  return [
    `## ${command.name()}\n`,
    `${sentence(command.description())}\n`,
    `\`\`\`sh\n${help.commandUsage(command)}\n\`\`\`\n`,
    ...(argumentLines.length > 0 ? [markdownTable(["argument", "meaning"], argumentLines)] : []),
    ...(options.length > 0 ? [flagTable(options)] : []),
  ].join("\n");
}

function flagTable(options: readonly Option[]): string {
  const rows = options.map((option) => [code(option.flags), option.description, defaultText(option)]);
  const plain = rows.every(([, , value]) => value === "");
  return plain
    ? markdownTable(
        ["flag", "meaning"],
        rows.map((row) => row.slice(0, 2)),
      )
    : markdownTable(["flag", "meaning", "default"], rows);
}

/** What a flag is where it is not given, as `--help` writes it; "" for what is off or empty. */
function defaultText({ defaultValue, mandatory }: Option): string {
  if (mandatory) return "must be given";
  const none = defaultValue === undefined || defaultValue === false || Array.isArray(defaultValue);
  return none ? "" : code(JSON.stringify(defaultValue));
}

const argumentName = (argument: Argument) => {
  const name = argument.variadic ? `${argument.name()}...` : argument.name();
  return argument.required ? `<${name}>` : `[${name}]`;
};

const code = (text: string) => (text === "" ? "" : `\`${text}\``);

const sentence = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
