import { signal } from "@preact/signals";
import { type CodeFault, compileCode, faultOf } from "../router-code/compile-code";
import { example } from "../router-code/example";

/** The router that the visitor writes. */
export const code = signal(example);

/** What came of the last check of the code. */
export type CheckState =
  | { kind: "unchecked" }
  | { kind: "checking" }
  | { kind: "sound"; name: string; code: string }
  | { kind: "faulty"; fault: CodeFault; code: string };

export const checked = signal<CheckState>({ kind: "unchecked" });

/** The code, compiled and proved; rejects with what is wrong with it. */
export async function compiledRouter(): Promise<string> {
  const now = checked.value;
  if (!(now.kind === "sound" && now.code === code.value)) await checkCode();
  const result = checked.value;
  if (result.kind === "faulty") throw new Error(`router code: ${result.fault.message}`);
  const compiled = await compileCode(code.value);
  if ("fault" in compiled) throw new Error(`router code: ${compiled.fault.message}`);
  return compiled.compiled;
}

/** Compile the code and let `checkRouter` prove it, in a worker of its own that is gone afterwards. */
export async function checkCode(): Promise<void> {
  const own = code.value;
  checked.value = { kind: "checking" };
  const result = await compileCode(own);
  if ("fault" in result) {
    checked.value = { kind: "faulty", fault: result.fault, code: own };
    return;
  }
  const { LINES_BEFORE_CODE, startWorker } = await import("../router-code/start-worker");
  try {
    const worker = await startWorker(result.compiled);
    try {
      const broken = new Promise<never>((_, reject) => worker.onBreak(reject));
      const slow = new Promise<never>((_, reject) =>
        setTimeout(
          () => reject(new Error("router code: no answer for a minute: is there a loop without end?")),
          60_000,
        ),
      );
      const name = await Promise.race([worker.remote.check(), broken, slow]);
      checked.value = { kind: "sound", name, code: own };
    } finally {
      worker.end();
    }
  } catch (error) {
    checked.value = { kind: "faulty", fault: faultOf(error as Error, LINES_BEFORE_CODE), code: own };
  }
}
