import { presets } from "@webmoe/model";
import { z } from "zod";
import { presetConfig } from "./presets";
import { configSchema } from "./schema";

/** A dotted key of the configuration, as `--set` and the reference page know it. */
export interface SettingKey {
  key: string;
  /** Which values it takes, in words. */
  values: string;
  description: string;
}

/** Every dotted key below a schema, in its order. */
export function settingKeys(schema: z.ZodObject = configSchema as unknown as z.ZodObject, prefix = ""): SettingKey[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const group = field instanceof z.ZodOptional || field instanceof z.ZodDefault ? field.unwrap() : field;
    if (group instanceof z.ZodObject) return settingKeys(group, `${prefix}${name}.`);
    const type = field as z.ZodType;
    return [{ key: `${prefix}${name}`, values: valuesText(type), description: type.description ?? "" }];
  });
}

/** What a key is in the preset `nano` (named ""), and in presets where it is something else; "" for what none sets. */
export function presetValues(key: string): { preset: string; text: string }[] {
  const [nano, ...others] = Object.keys(presets).map((preset) => {
    const value = valueAt(presetConfig(preset as keyof typeof presets), key.split("."));
    return { preset, text: value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value) };
  });
  return [{ preset: "", text: nano!.text }, ...others.filter(({ text }) => text !== nano!.text)];
}

/** The value at a path of plain objects; undefined where there is none. */
export function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (branch, name) =>
      typeof branch === "object" && branch !== null && Object.hasOwn(branch, name)
        ? (branch as Record<PropertyKey, unknown>)[name]
        : undefined,
    value,
  );
}

interface JsonSchema {
  type?: string;
  enum?: string[];
  items?: JsonSchema;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  exclusiveMaximum?: number;
}

function valuesText(type: z.ZodType): string {
  return schemaText(z.toJSONSchema(type, { io: "input" }) as JsonSchema);
}

function schemaText({ type, items, ...schema }: JsonSchema): string {
  if (schema.enum) return schema.enum.join(", ");
  if (type === "boolean") return "true, false";
  if (type === "array") return `list of ${schemaText(items ?? {}).replace("number", "numbers")}`;
  if (type === "integer") return `whole number${rangeText(schema, true)}`;
  if (type === "number") return `number${rangeText(schema, false)}`;
  return "text";
}

function rangeText({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: JsonSchema, whole: boolean): string {
  const lowest = minimum ?? (whole && exclusiveMinimum !== undefined ? exclusiveMinimum + 1 : undefined);
  const low =
    lowest !== undefined ? ` from ${lowest}` : exclusiveMinimum !== undefined ? ` above ${exclusiveMinimum}` : "";
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return low + (bounded ? ` to ${maximum}` : exclusiveMaximum !== undefined ? ` to below ${exclusiveMaximum}` : "");
}
