/** A fault of router code, and the line it is at (from 1), where that is known. */
export interface CodeFault {
  message: string;
  line?: number;
}

/** TypeScript as the body of a function of `require` and `exports`, line by line where it was; or what is wrong with it. */
export async function compileCode(code: string): Promise<{ compiled: string } | { fault: CodeFault }> {
  // Sucrase reads loosely and names the head of an arrow function for an error inside it: a strict parser goes first.
  const [{ parse }, { transform }] = await Promise.all([import("@babel/parser"), import("sucrase")]);
  try {
    parse(code, { sourceType: "module", plugins: ["typescript"] });
    const { code: compiled } = transform(code, { transforms: ["typescript", "imports"], production: true });
    return { compiled };
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number } };
    return { fault: { message: message.replace(/ \(\d+:\d+\)$/, ""), line: loc?.line } };
  }
}

/** Where an error that code threw in its worker comes from: the first line of its stack that lies in the code. */
export function faultOf(error: Error, linesBefore: number): CodeFault {
  const places = [...(error.stack ?? "").matchAll(/blob:[^\s)]*:(\d+):\d+/g)].map(([, line]) => Number(line));
  const line = places.find((line) => line > linesBefore);
  return { message: error.message, line: line === undefined ? undefined : line - linesBefore };
}

/** The error with the stacks of what caused it in its own, since a message between threads carries no causes. */
export function withCauses(error: Error): Error {
  const stacks: (string | undefined)[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) stacks.push(cause.stack);
  error.stack = stacks.join("\n");
  return error;
}
