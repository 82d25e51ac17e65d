import { routerNames } from "@webmoe/routers";
import { Command, Help, type Option } from "commander";
import { benchCommand } from "./commands/bench";
import { compareCommand } from "./commands/compare";
import { configCommand } from "./commands/config";
import { devicesCommand } from "./commands/devices";
import { evalCommand } from "./commands/eval";
import { exportCommand } from "./commands/export";
import { importCommand } from "./commands/import";
import { inspectCommand } from "./commands/inspect";
import { paramsCommand } from "./commands/params";
import { plotCommand } from "./commands/plot";
import { runsCommand } from "./commands/runs";
import { sampleCommand } from "./commands/sample";
import { soakCommand } from "./commands/soak";
import { trainCommand } from "./commands/train";
import { minWidthToWrap, settingsHelp } from "./config/help";
import { collect, number, wholeNumber } from "./option-values";
import { COMMAND, VERSION } from "./version";

/** The command line: its commands, their flags, and what each does. */
export const program = new Command("webmoe")
  .description("Train sparse mixture-of-experts language models on WebGPU.")
  .version(VERSION)
  .option("--debug", "print stack traces")
  .configureHelp({ optionDescription, minWidthToWrap })
  // Faults of a command line are told like all others.
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "webmoe: ")) })
  .exitOverride();

const DATA_HELP = "a corpus by name, a file, folder or pattern of text, JSON lines, CSV or parquet, or hf:owner/name";

/** The options that make up a configuration. */
function withConfig(command: Command): Command {
  return command
    .option("--preset <name>", "nano (default), tiny, small or base")
    .option("--config <file>", "YAML or JSON file with configuration keys")
    .option("--router <name|file>", `${routerNames.join(", ")}, or a file that exports a router`)
    .option("--steps <n>", "optimizer steps", wholeNumber)
    .option("--seed <n>", "same seed, same adapter: the same bits", wholeNumber)
    .option("--adapter <name>", "hardware, software, or part of an adapter's name")
    .option("--set <key=value>", "set any configuration key; may be repeated", collect, []);
}

withConfig(program.command("train").description("train a model and keep the run in a folder"))
  .option("--data <name|path>", DATA_HELP)
  .option("--task <name>", "language (default), or classify: --data is then spam or a file of texts with classes")
  .option(
    "--init-from <run>",
    "start from the model of another run or of one of its checkpoints; of a language model, also to classify",
  )
  .option("--upcycle", "with --init-from: start every expert from a dense model's layer")
  .option("--freeze <parts>", "parts that do not learn, with commas: router, experts, embedding, attention ...")
  .option("--out <dir>", "folder of the run (default: runs/PRESET-ROUTER-TIME)")
  .option("--on-nan <skip|stop>", "a step whose loss is not finite: skip it (ten in a row stop the run), or stop")
  .option("--resume <auto|dir>", "go on with an interrupted run; auto takes the newest")
  .option("--dry-run", "print size, memory, work and an estimate of the time, and whether it fits; train nothing")
  .option("--json", "with --dry-run: print one JSON object", false)
  .addHelpText("after", () => settingsHelp())
  .action((flags) => trainCommand(flags));

program
  .command("sample")
  .description("write text with a trained model")
  .option("--from <run>", "folder of the run, or latest", "latest")
  .option("--prompt <text>", "text to go on from", "The ")
  .option("--tokens <n>", "tokens to write", wholeNumber, 200)
  .option("--temperature <t>", "0 takes the likeliest token each time", number, 0.8)
  .option("--top-k <n>", "draw from the n likeliest tokens; 0 from all", wholeNumber, 0)
  .option("--top-p <p>", "draw from the likeliest tokens that together have this probability", number, 1)
  .option("--seed <n>", "same seed, same text", wholeNumber, 1)
  .option("--averaged", "take the averaged weights of ema.decay", false)
  .option("--adapter <name>", "hardware, software, or part of an adapter's name")
  .action((flags) => sampleCommand(flags));

program
  .command("eval")
  .description("validate a trained model")
  .option("--from <run>", "folder of the run, or latest", "latest")
  .option("--data <name|path>", "another text than the run's own held-out part")
  .option("--batches <n>", "batches to take the mean over", wholeNumber)
  .option("--adapter <name>", "hardware, software, or part of an adapter's name")
  .option("--averaged", "take the averaged weights of ema.decay", false)
  .option("--json", "print one JSON object", false)
  .action((flags) => evalCommand(flags));

program
  .command("compare")
  .description("train several routers with several seeds and say what differs")
  .option(
    "--routers <list>",
    "names or files between commas, each [LABEL=]NAME[:OPTION=VALUE]…, as NP=recurrent:state=false",
    "linear,recurrent",
  )
  .option("--seeds <list>", "whole numbers between commas; a conclusion needs three", "1,2,3")
  .option(
    "--match <what>",
    "none, or make parameters equal: total, active (experts' width), router (its own width)",
    "none",
  )
  .option("--baseline <label>", "what the others are compared with (default: the first router)")
  .option("--preset <name>", "nano (default), tiny, small or base")
  .option("--config <file>", "YAML or JSON file with configuration keys")
  .option("--data <name|path>", DATA_HELP)
  .option("--steps <n>", "optimizer steps of a run", wholeNumber)
  .option("--out <dir>", "folder of the comparison; what is done there is left out (default: runs/compare-PRESET-TIME)")
  .option("--stop-after <seconds>", "stop at a checkpoint after this time; the same command goes on", number)
  .option("--adapter <name>", "hardware, software, or part of an adapter's name")
  .option("--set <key=value>", "set any configuration key for all routers; may be repeated", collect, [])
  .action((flags) => compareCommand(flags));

program
  .command("inspect")
  .description("measure how a trained model routes, and write report.html and report.json")
  .option("--from <run>", "folder of the run, or latest", "latest")
  .option("--data <name|path>", "another text than the run's own held-out part")
  .option("--tokens <n>", "tokens to look at", wholeNumber, 4096)
  .option("--out <dir>", "folder of the report (default: the run's)")
  .option("--adapter <name>", "hardware, software, or part of an adapter's name")
  .option("--json", "print the numbers as one JSON object", false)
  .action((flags) => inspectCommand(flags));

program
  .command("runs")
  .description("list runs with their last figures, the newest first")
  .argument("[folder]", "folder of runs (default: runs)")
  .option("--json", "print one JSON array", false)
  .action((folder, flags) => runsCommand(folder, flags));

program
  .command("plot")
  .description("draw curves of runs, in the terminal or as one HTML file")
  .argument("[runs...]", "folders of runs, their names below runs/, or latest (default)")
  .option("--metric <names>", "figures with commas, as loss, gradNorm, validation.loss or router.balanceLoss")
  .option("--smooth <share>", "draw a running mean that keeps this share of itself at each step", number, 0)
  .option("--html <file>", "write a page that needs nothing else, with every usual figure")
  .action((runs, flags) => plotCommand(runs, flags));

program
  .command("devices")
  .description("show the adapter, its features and limits, and the kernels used")
  .option("--adapter <name>", "hardware, software, or part of an adapter's name")
  .option("--json", "print one JSON object", false)
  .action((flags) => devicesCommand(flags));

withConfig(program.command("params").description("count parameters and FLOPs of a configuration"))
  .option("--json", "print one JSON object", false)
  .action((flags) => paramsCommand(flags));

withConfig(program.command("config").description("print the configuration as a file for --config"))
  .option("--json", "print JSON instead of YAML", false)
  .action((flags) => configCommand(flags));

withConfig(program.command("bench").description("time training steps, sampling, or kernels"))
  .option("--scan <key=values>", "time every value of a list: experts=8,16,32; repeat for combinations", collect, [])
  .option(
    "--turns",
    "with --scan: time all in turns, so that none has a moment of its own; all have to fit into memory",
    false,
  )
  .option(
    "--paced",
    "take turns with another program, which asks for each round with a line on the standard input",
    false,
  )
  .option("--profile [file]", "time every kernel of one step; write a trace (default webmoe-trace.json)")
  .option("--kernels [name]", "time the kernels by themselves: all, or the cases with this in their name")
  .option("--sampling <tokens>", "time how fast a fresh model writes so many tokens", wholeNumber)
  .option("--read-loss", "time what it costs steps to read the loss of each", false)
  .option("--metrics", "time what it costs steps to say what their routers did, and to write it down", false)
  .option("--json", "print one JSON object a line", false)
  .action((flags) => benchCommand(flags));

program
  .command("export")
  .description("write a trained model for other programs")
  .option("--from <run>", "folder of the run, or latest", "latest")
  .requiredOption("--out <dir>", "folder to write")
  .option(
    "--format <name>",
    "hf: a folder that Hugging Face's transformers opens; web: one that a web page loads",
    "hf",
  )
  .option("--type <name>", "f32, f16 or bf16", "f32")
  .action((flags) => exportCommand(flags));

program
  .command("import")
  .description("make a run of an exported model, or of one of Llama's, Mixtral's or Qwen-MoE's kind")
  .requiredOption("--from <dir>", "folder with config.json and safetensors files")
  .requiredOption("--out <dir>", "folder of the run")
  .action((flags) => importCommand(flags));

withConfig(program.command("soak").description("train for long and see whether memory stays flat and speed the same"))
  .option("--json", "print one JSON object", false)
  .action((flags) => soakCommand(flags));

for (const command of [program, ...program.commands]) {
  const name = command === program ? COMMAND : `${COMMAND} ${command.name()}`;
  command.showHelpAfterError(`(see ${name} --help)`);
}

/** An option in the help, without defaults that say nothing: off, or an empty list. */
function optionDescription(option: Option): string {
  const { defaultValue } = option;
  const says = defaultValue !== false && !(Array.isArray(defaultValue) && defaultValue.length === 0);
  return says ? Help.prototype.optionDescription(option) : option.description;
}
