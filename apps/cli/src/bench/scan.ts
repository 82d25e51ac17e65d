import { settingKeys } from "../config/keys";
import type { ConfigFlags } from "../config/resolve";
import { didYouMean } from "../did-you-mean";
import { UsageError } from "../errors";

/** One configuration of a scan: what was chosen for it, and the flags that say so. */
export interface Variant {
  /** "experts=8, precision=mixed"; empty without a scan. */
  label: string;
  flags: ConfigFlags;
}

/**
 * Every combination of `--scan key=value,value` lists, the last list changing fastest. A key is that of `--set`, or its last
 * part where that says enough: "experts" for "moe.experts".
 */
export function variants(flags: ConfigFlags, scans: string[]): Variant[] {
  return scans.map(parseScan).reduce<Variant[]>(
    (all, { key, values }) =>
      all.flatMap((variant) =>
        values.map((value) => ({
          label: [variant.label, `${key}=${value}`].filter(Boolean).join(", "),
          flags: withSetting(variant.flags, key, value),
        })),
      ),
    [{ label: "", flags }],
  );
}

function parseScan(text: string): { key: string; values: string[] } {
  const [key, list, ...rest] = text.split("=");
  const values = list?.split(",").filter(Boolean) ?? [];
  if (!key || values.length === 0 || rest.length > 0) {
    throw new UsageError(`--scan: needs key=value,value, got "${text}"`);
  }
  return { key, values };
}

function withSetting(flags: ConfigFlags, key: string, value: string): ConfigFlags {
  if (key === "preset" || key === "router") return { ...flags, [key]: value };
  return { ...flags, set: [...flags.set, `${fullKey(key)}=${value}`] };
}

function fullKey(key: string): string {
  const known = settingKeys().map((setting) => setting.key);
  if (known.includes(key) || key.startsWith("router.")) return key;
  const ending = known.filter((name) => name.endsWith(`.${key}`));
  if (ending.length === 1) return ending[0]!;
  if (ending.length > 1) throw new UsageError(`--scan: "${key}" may be ${ending.join(" or ")}: write one of them`);
  throw new UsageError(
    `--scan: there is no key "${key}"${didYouMean(key, [...known, ...known.map((name) => name.split(".").at(-1)!)])}`,
  );
}
