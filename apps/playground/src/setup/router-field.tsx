import { routerNamed, routerNames } from "@webmoe/routers";
import { z } from "zod";
import { CODE, type Configuration, routerChoice } from "../configuration/configuration";
import { valueAt } from "../configuration/dotted";

interface RouterFieldProps {
  configuration: Configuration;
  faults: Record<string, string>;
  label?: string;
  /** Before the keys, to tell two forms apart. */
  prefix?: string;
  choose(router: Configuration["router"]): void;
  change(key: string, value: unknown): void;
}

/** Which router, and its options. */
export function RouterField({
  configuration,
  faults,
  label = "Router",
  prefix = "",
  choose,
  change,
}: RouterFieldProps) {
  const { router, preset } = configuration;
  const named = routerNamed(router.name);
  const id = `${prefix}about-router`;
  return (
    <>
      <div class="field">
        <label for={`${prefix}router`}>{label}</label>
        <select
          id={`${prefix}router`}
          value={router.name}
          aria-describedby={id}
          onChange={({ currentTarget }) => choose(routerChoice(currentTarget.value, preset))}
        >
          {routerNames.map((name) => (
            <option key={name} value={name}>
              {routerNamed(name)!.title}
            </option>
          ))}
          {!routerNames.includes(router.name) && named && <option value={router.name}>{named.title}</option>}
          <option value={CODE}>Your own code …</option>
        </select>
        <small id={id}>{named?.about ?? "The router in the editor: checked, then trained like any other."}</small>
      </div>
      {named && Object.keys(named.options.shape).length > 0 && (
        <details class="options">
          <summary>Options of the router</summary>
          <div class="grid">
            {optionsOf(named.options, "router").map((option) => (
              <Option key={option.key} {...{ option, configuration, prefix, change }} fault={faults[option.key]} />
            ))}
          </div>
        </details>
      )}
    </>
  );
}

interface RouterOption {
  key: string;
  about: string;
  schema: z.ZodType;
}

/** Every option of a schema by its dotted key, those of an inner router too. */
function optionsOf(schema: z.ZodObject, prefix: string): RouterOption[] {
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const about = (field as z.ZodType).description ?? "";
    const inner = field instanceof z.ZodOptional ? (field.unwrap() as z.ZodType) : (field as z.ZodType);
    const key = `${prefix}.${name}`;
    return inner instanceof z.ZodObject ? optionsOf(inner, key) : [{ key, about, schema: inner }];
  });
}

function Option(props: {
  option: RouterOption;
  configuration: Configuration;
  prefix: string;
  fault: string | undefined;
  change(key: string, value: unknown): void;
}) {
  const { option, configuration, prefix, fault, change } = props;
  const { key, about, schema } = option;
  const value = valueAt(configuration, key);
  const name = key.slice("router.".length);
  const common = { id: prefix + key, name: prefix + key, "aria-invalid": fault !== undefined, title: about };
  return (
    <div class="field">
      <label for={prefix + key}>
        <code>{name}</code>
      </label>
      {schema instanceof z.ZodNumber ? (
        <input
          type="number"
          step="any"
          placeholder="default"
          value={typeof value === "number" ? value : ""}
          {...common}
          onInput={({ currentTarget: { value, valueAsNumber } }) =>
            change(key, value === "" ? undefined : valueAsNumber)
          }
        />
      ) : (
        <select
          value={value === undefined ? "" : String(value)}
          {...common}
          onChange={({ currentTarget: { value } }) =>
            change(key, value === "" ? undefined : schema instanceof z.ZodBoolean ? value === "true" : value)
          }
        >
          <option value="">default</option>
          {(schema instanceof z.ZodEnum ? schema.options.map(String) : ["true", "false"]).map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      )}
      <small class={fault ? "fault" : ""}>{fault ?? about}</small>
    </div>
  );
}
