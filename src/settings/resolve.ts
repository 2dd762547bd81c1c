/** Flags over environment over `disco.toml` over defaults, and for each value where it comes from. */
import { dirname } from "node:path";
import { DiscoError } from "../errors.ts";
import { type ConfigFile, loadConfigFile, type UnknownKey } from "./config-file.ts";
import { describeOrigin, type Origin } from "./origin.ts";
import { flagOf, type Setting, type SettingName, type SettingValues, settingNames, settingOf } from "./table.ts";

/** Flags by the names of their settings, as they were typed or parsed already; `config` is the file to read. */
export type SettingFlags = { readonly [N in SettingName | "config"]?: string | number | boolean | undefined };

export interface SettingSources {
  readonly flags: SettingFlags;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Absolute path. */
  readonly cwd: string;
}

export type Origins = Readonly<Record<SettingName, Origin>>;

export interface Resolved {
  readonly values: SettingValues;
  readonly origins: Origins;
  /** The `disco.toml` that counts. */
  readonly configFile: ConfigFile | null;
}

/** A value as it stands somewhere, before it is checked. */
interface Raw {
  readonly value: unknown;
  readonly origin: Origin;
  /** Directory from which relative paths are seen. */
  readonly base: string;
}

/**
 * Reads the settings of one side. Those of the other side keep their defaults: a client is not stopped by a bad port.
 * @throws DiscoError `bad-config-file`, `bad-setting`, which name all wrong values and unknown keys, where they stand and what is allowed
 */
export function resolveSettings(side: "daemon" | "client" | "cluster" | "all", sources: SettingSources): Resolved {
  const { env } = sources;
  const configFile = findConfigFile(sources);
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  const problems: string[] = [];
  for (const name of settingNames) {
    const setting = settingOf(name);
    const host = typeof values["host"] === "string" ? values["host"] : "";
    const isAsked = sidesOf[side].includes(setting.of);
    const raw = isAsked ? rawValue(name, sources, configFile) : null;
    const read = raw === null ? null : setting.type.read(raw.value, raw.base);
    if (raw !== null && read === null) problems.push(complain(name, raw));
    values[name] = read === null ? setting.default({ env, host }) : read.value;
    origins[name] = raw?.origin ?? { kind: "default" };
  }
  const unknown = configFile?.unknown ?? [];
  if (problems.length + unknown.length > 0) throw refusal(problems, unknown);
  return { values: values as SettingValues, origins: origins as Origins, configFile };
}

const sidesOf: Readonly<Record<"daemon" | "client" | "cluster" | "all", readonly Setting<unknown>["of"][]>> = {
  daemon: ["both", "daemon"],
  client: ["both", "client"],
  cluster: ["both", "daemon", "cluster"],
  all: ["both", "daemon", "client", "cluster"],
};

function findConfigFile(sources: SettingSources): ConfigFile | null {
  const { flags, env, cwd } = sources;
  const rawRoot = rawValue("root", sources, null);
  const root = rawRoot === null ? null : settingOf("root").type.read(rawRoot.value, cwd);
  return loadConfigFile({
    flag: flags.config === undefined ? undefined : String(flags.config),
    env,
    cwd,
    root: String(root === null ? settingOf("root").default({ env, host: "" }) : root.value),
  });
}

function rawValue(name: SettingName, { flags, env, cwd }: SettingSources, file: ConfigFile | null): Raw | null {
  const setting = settingOf(name);
  const flag = flagOf(setting);
  if (flag !== null && flags[name] !== undefined) {
    return { value: flags[name], origin: { kind: "flag", flag }, base: cwd };
  }
  const variable = setting.env;
  // A variable that is empty is as good as unset, as everywhere in shells.
  if (env[variable]) return { value: env[variable], origin: { kind: "environment", variable }, base: cwd };
  const key = setting.key;
  if (key === null || file === null || !file.values.has(key)) return null;
  const origin = { kind: "file", file: file.file, key, line: file.lineOf(key) } as const;
  return { value: file.values.get(key), origin, base: dirname(file.file) };
}

function complain(name: SettingName, { value, origin }: Raw): string {
  const { secret, delicate, type } = settingOf(name);
  const what = origin.kind === "file" ? `${describeOrigin(origin)}: ${origin.key}` : describeOrigin(origin);
  const isHidden = secret === true || delicate === true;
  const given = isHidden ? "has a value that is not allowed" : `is ${JSON.stringify(value) ?? String(value)}`;
  return `${what} ${given}, expected ${type.expects}`;
}

function refusal(problems: readonly string[], unknown: readonly UnknownKey[]): DiscoError {
  const [first] = unknown;
  if (first !== undefined && unknown.length + problems.length === 1) {
    return new DiscoError(first.message, { code: "bad-config-file", hint: first.hint });
  }
  const lines = unknown.map(({ message, hint }) => `${message}. ${hint}`);
  return new DiscoError([...lines, ...problems].join("\n"), {
    code: first === undefined ? "bad-setting" : "bad-config-file",
    hint: "`disco config` shows all settings and where they come from.",
  });
}
