/** Variables of masters and nodes that no other process is to inherit. */
import { settingOf } from "./table.ts";
import { tokenSettings } from "./tokens.ts";

export function secretNames(): string[] {
  const tokens = Object.values(tokenSettings).flatMap(({ itself, file }) => [itself, file]);
  return [...tokens, "enginePassword" as const, "engineCreds" as const].map((name) => settingOf(name).env);
}
