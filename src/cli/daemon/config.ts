/** `disco config`: every setting, its value, and where it comes from. Of tokens only that they are set. */
import { describeOrigin } from "../../settings/origin.ts";
import { type Resolved, resolveSettings, type SettingFlags } from "../../settings/resolve.ts";
import { nameOf, type SettingName, settingNames, settingOf } from "../../settings/table.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatColumns, widthOf } from "../print/columns.ts";
import { lookOf } from "../progress/look.ts";
import { type OutputOptions, print } from "./output.ts";

export function showConfig(options: OutputOptions & SettingFlags): number {
  const { json: _, ...flags } = options;
  const resolved = resolveSettings("all", { flags, env: process.env, cwd: process.cwd() });
  const file = resolved.configFile?.file ?? null;
  const settings = Object.fromEntries(settingNames.map((name) => [name, reportOf(name, resolved)]));
  const look = lookOf(process.stdout);
  const columns = [{ title: "SETTING" }, { title: "VALUE", shrinks: true }, { title: "FROM" }];
  const rows = settingNames.map((name) => {
    const { origin, variable } = settings[name] as SettingReport;
    const isDefault = resolved.origins[name].kind === "default";
    const shown = shownValue(name, resolved);
    return [nameOf(name), shown, isDefault ? { text: `default (${variable})`, style: "dim" as const } : origin];
  });
  print(options, { configFile: file, settings }, [
    ...formatColumns(columns, rows, widthOf(process.stdout), look),
    "",
    file === null ? "There is no disco.toml." : `The disco.toml that counts: ${file}`,
  ]);
  return exitCodes.ok;
}

interface SettingReport {
  /** As programs need it; of a secret only whether it is set. */
  readonly value: unknown;
  readonly origin: string;
  readonly kind: string;
  /** In `disco.toml`; `null`: it cannot stand there. */
  readonly key: string | null;
  readonly variable: string;
}

function reportOf(name: SettingName, { values, origins }: Resolved): SettingReport {
  const { secret, env, key } = settingOf(name);
  const value: unknown = values[name];
  const shown = secret === true ? (value === null ? null : "set") : value;
  return { value: shown, origin: describeOrigin(origins[name]), kind: origins[name].kind, key, variable: env };
}

function shownValue(name: SettingName, { values }: Resolved): string {
  return settingOf(name).type.show(values[name]);
}
