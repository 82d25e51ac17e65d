// A scalar formula over the inputs of an elementwise kernel, as a small graph. Shared subterms are written once.

/** Functions of one argument that WGSL has, or that are written out in `wgslCall`. */
export type UnaryName = "neg" | "exp" | "log" | "sqrt" | "inverseSqrt" | "tanh" | "sigmoid" | "abs" | "sin" | "cos";
export type BinaryName = "add" | "sub" | "mul" | "div" | "max" | "min" | "less";

/** A node of a formula. Build with the methods; `a.mul(b).add(1)`. */
export class Expression {
  private constructor(
    readonly kind: "input" | "constant" | "unary" | "binary" | "select",
    readonly name: string,
    readonly args: readonly Expression[],
    readonly value: number,
  ) {}

  /** The value of the formula's input with this number. */
  static input(index: number): Expression {
    return new Expression("input", "input", [], index);
  }

  /** A number that is the same for all elements. */
  static constant(value: number): Expression {
    return new Expression("constant", "constant", [], value);
  }

  private unary(name: UnaryName): Expression {
    return new Expression("unary", name, [this], 0);
  }

  private binary(name: BinaryName, other: Expression | number): Expression {
    return new Expression("binary", name, [this, toExpression(other)], 0);
  }

  /** The same formula over other inputs. */
  replaceInputs(replace: (index: number) => Expression): Expression {
    const done = new Map<Expression, Expression>();
    const visit = (node: Expression): Expression => {
      if (node.kind === "input") return replace(node.value);
      if (node.args.length === 0) return node;
      const known = done.get(node) ?? new Expression(node.kind, node.name, node.args.map(visit), node.value);
      done.set(node, known);
      return known;
    };
    return visit(this);
  }

  /** Whether it is this number for all elements. */
  isConstant(value: number): boolean {
    return this.kind === "constant" && this.value === value;
  }

  /** Minus the value. */
  neg = () => this.unary("neg");
  /** e to the power of the value. */
  exp = () => this.unary("exp");
  /** The natural logarithm. */
  log = () => this.unary("log");
  /** The square root. */
  sqrt = () => this.unary("sqrt");
  /** One over the square root. */
  inverseSqrt = () => this.unary("inverseSqrt");
  /** Its argument is clamped to +-15, past which some drivers return NaN. */
  tanh = () => this.unary("tanh");
  /** The logistic function, 1 / (1 + e^-x). */
  sigmoid = () => this.unary("sigmoid");
  /** The absolute value. */
  abs = () => this.unary("abs");
  /** The sine, in radians. */
  sin = () => this.unary("sin");
  /** The cosine, in radians. */
  cos = () => this.unary("cos");

  /** The sum of both. */
  add(other: Expression | number): Expression {
    const right = toExpression(other);
    if (right.isConstant(0)) return this;
    return this.isConstant(0) ? right : this.binary("add", right);
  }

  /** The difference, itself minus the other. */
  sub(other: Expression | number): Expression {
    const right = toExpression(other);
    return right.isConstant(0) ? this : this.binary("sub", right);
  }

  /** The product of both. */
  mul(other: Expression | number): Expression {
    const right = toExpression(other);
    if (right.isConstant(1) || this.isConstant(0)) return this;
    return this.isConstant(1) || right.isConstant(0) ? right : this.binary("mul", right);
  }

  /** The quotient, itself over the other. */
  div = (other: Expression | number) => this.binary("div", other);
  /** The larger of both. */
  max = (other: Expression | number) => this.binary("max", other);
  /** The smaller of both. */
  min = (other: Expression | number) => this.binary("min", other);
  /** 1 where this is below the other, else 0. */
  less = (other: Expression | number) => this.binary("less", other);

  /** `yes` where this is not 0, else `no`. */
  select(yes: Expression | number, no: Expression | number): Expression {
    return new Expression("select", "select", [this, toExpression(yes), toExpression(no)], 0);
  }
}

/** A number as the constant that it is; expressions as they come. */
export function toExpression(value: Expression | number): Expression {
  return typeof value === "number" ? Expression.constant(value) : value;
}

/** WGSL statements that compute every result once, and the names of the results. `literal` writes a constant. */
export function writeExpressions(
  results: Expression[],
  inputs: string[],
  literal: (value: number) => string = floatLiteral,
): { statements: string; names: string[] } {
  const names = new Map<Expression, string>();
  const lines: string[] = [];
  const visit = (node: Expression): string => {
    const known = names.get(node);
    if (known) return known;
    if (node.kind === "input") return inputs[node.value]!;
    if (node.kind === "constant") return literal(node.value);
    const args = node.args.map(visit);
    const name = `t${lines.length}`;
    lines.push(`  let ${name} = ${wgslCall(node, args)};`);
    names.set(node, name);
    return name;
  };
  const resultNames = results.map(visit);
  return { statements: lines.join("\n"), names: resultNames };
}

const OPERATORS: Record<string, string> = { add: "+", sub: "-", mul: "*", div: "/" };

function wgslCall({ kind, name }: Expression, args: string[]): string {
  if (kind === "select") return `select(${args[2]}, ${args[1]}, ${args[0]} != 0.0)`;
  if (OPERATORS[name]) return `${args[0]} ${OPERATORS[name]} ${args[1]}`;
  switch (name) {
    case "neg":
      return `-${args[0]}`;
    case "less":
      return `select(0.0, 1.0, ${args[0]} < ${args[1]})`;
    case "tanh":
      return `tanh(clamp(${args[0]}, -15.0, 15.0))`;
    case "sigmoid":
      return `1.0 / (1.0 + exp(-${args[0]}))`;
    default:
      return `${name}(${args.join(", ")})`;
  }
}

/** WGSL of a number. */
export function floatLiteral(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`elementwise: constants must be finite, got ${value}`);
  const text = `f32(${Math.fround(value)})`;
  return value < 0 ? `(${text})` : text;
}
