/** Variables in the environment that look like settings and are none: a slip, or one of Disco's own that has no meaning here. */
import { nearestName } from "../client/nearest-name.ts";
import { discoNames } from "./disco-names.ts";
import { settingNames, settingOf } from "./table.ts";

/** `DISCO_CONFIG` says where settings stand, and is none itself. */
const known: ReadonlySet<string> = new Set([...settingNames.map((name) => settingOf(name).env), "DISCO_CONFIG"]);

export interface UnknownVariable {
  readonly variable: string;
  /** What to do, a sentence. */
  readonly hint: string;
}

export function unknownVariables(env: Readonly<NodeJS.ProcessEnv>): UnknownVariable[] {
  return Object.keys(env)
    .filter((variable) => /^(?:DISCO|DDFS)_/.test(variable) && !known.has(variable) && env[variable] !== "")
    .sort()
    .map((variable) => ({ variable, hint: hintFor(variable) }));
}

function hintFor(variable: string): string {
  const instead = discoNames[variable];
  if (instead !== undefined) return `Disco had it; here it means nothing: ${instead}.`;
  const meant = nearestName(variable, known);
  return meant === undefined ? "Unset it." : `Did you mean ${meant}?`;
}
