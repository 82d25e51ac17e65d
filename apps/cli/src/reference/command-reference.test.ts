import { Command } from "commander";
import { expect, test } from "vitest";
import { program } from "../program";
import { commandReference } from "./command-reference";

test("a command is a section with its usage, its arguments, and a table of its flags", () => {
  const small = new Command("small").option("--debug", "print more");
  small
    .command("draw")
    .description("draw runs")
    .argument("[runs...]", "folders of runs")
    .option("--share <part|all>", "how much", "all ")
    .option("--json", "print JSON", false)
    .requiredOption("--out <dir>", "folder to write");
  const [, page] = commandReference(small).split("| command");
  expect(page).toBe(`       | does       |
| ------------- | ---------- |
| [draw](#draw) | Draw runs. |

Flags that stand before the command:

| flag         | meaning                  |
| ------------ | ------------------------ |
| \`--debug\`    | print more               |
| \`-h, --help\` | display help for command |

## draw

Draw runs.

\`\`\`sh
small draw [options] [runs...]
\`\`\`

| argument    | meaning         |
| ----------- | --------------- |
| \`[runs...]\` | folders of runs |

| flag                  | meaning         | default       |
| --------------------- | --------------- | ------------- |
| \`--share <part\\|all>\` | how much        | \`"all "\`      |
| \`--json\`              | print JSON      |               |
| \`--out <dir>\`         | folder to write | must be given |
`);
});

test("the page has every command, and every flag that its --help prints", () => {
  const sections = commandReference(program).split("\n## ").slice(1);
  expect(sections.map((section) => section.split("\n")[0])).toEqual(program.commands.map((command) => command.name()));
  program.commands.forEach((command, index) => {
    const flags = command
      .helpInformation()
      .match(/^ {2}(?:-\w, )?--[\w-]+/gm)!
      .map((flag) => flag.trim());
    for (const flag of flags.filter((flag) => flag !== "-h, --help")) expect(sections[index]).toContain(`| \`${flag}`);
  });
});
