import { Expression } from "@webmoe/webgpu";

/** The derivatives of a formula by its inputs 0 .. count-1; undefined where it does not depend on one. */
export function derivatives(result: Expression, count: number): (Expression | undefined)[] {
  const order: Expression[] = [];
  const seen = new Set<Expression>();
  const visit = (node: Expression) => {
    if (seen.has(node)) return;
    seen.add(node);
    node.args.forEach(visit);
    order.push(node);
  };
  visit(result);

  const slopes = new Map<Expression, Expression>([[result, Expression.constant(1)]]);
  const byInput: (Expression | undefined)[] = Array(count).fill(undefined);
  for (const node of order.reverse()) {
    const slope = slopes.get(node);
    if (!slope) continue;
    if (node.kind === "input") byInput[node.value] = byInput[node.value]?.add(slope) ?? slope;
    localSlopes(node).forEach((local, index) => {
      if (!local) return;
      const argument = node.args[index]!;
      const part = slope.mul(local);
      slopes.set(argument, slopes.get(argument)?.add(part) ?? part);
    });
  }
  return byInput;
}

const one = Expression.constant(1);

/** d node / d argument, for each argument. */
function localSlopes(node: Expression): (Expression | undefined)[] {
  const [a, b] = node.args as [Expression, Expression];
  switch (node.name) {
    case "add":
      return [one, one];
    case "sub":
      return [one, Expression.constant(-1)];
    case "mul":
      return [b, a];
    case "div":
      return [one.div(b), node.div(b).neg()];
    case "max":
      return [b.less(a), one.sub(b.less(a))];
    case "min":
      return [a.less(b), one.sub(a.less(b))];
    case "neg":
      return [Expression.constant(-1)];
    case "exp":
      return [node];
    case "log":
      return [one.div(a)];
    case "sqrt":
      return [Expression.constant(0.5).div(node)];
    case "inverseSqrt":
      return [node.mul(node).mul(node).mul(-0.5)];
    case "tanh":
      return [one.sub(node.mul(node))];
    case "sigmoid":
      return [node.mul(one.sub(node))];
    case "abs":
      return [a.less(0).select(-1, 1)];
    case "sin":
      return [a.cos()];
    case "cos":
      return [a.sin().neg()];
    case "select":
      return [undefined, a.select(one, 0), a.select(0, one)];
    default:
      return node.args.map(() => undefined); // "less" is flat; inputs and constants have no arguments
  }
}
