/** Which token holds for a scope: the nearest place that has one, be it the token itself or the file that it is in. */
import { DiscoError } from "../errors.ts";
import type { Scope } from "./daemon-settings.ts";
import { describeOrigin, type Origin } from "./origin.ts";
import type { Resolved } from "./resolve.ts";
import { type SettingName, settingOf } from "./table.ts";
import { readTokenFile } from "./token.ts";

interface TokenSettings {
  readonly itself: SettingName & ("token" | "submitToken" | "readToken");
  readonly file: SettingName & ("tokenFile" | "submitTokenFile" | "readTokenFile");
  readonly env: string;
}

export const tokenSettings: Readonly<Record<Scope, TokenSettings>> = {
  admin: { itself: "token", file: "tokenFile", env: "DISCO_TOKEN" },
  submit: { itself: "submitToken", file: "submitTokenFile", env: "DISCO_SUBMIT_TOKEN" },
  read: { itself: "readToken", file: "readTokenFile", env: "DISCO_READ_TOKEN" },
};

/** From the highest on. */
export const scopes: readonly Scope[] = ["admin", "submit", "read"];

const nearness: readonly Origin["kind"][] = ["flag", "environment", "file"];

export interface ResolvedToken {
  readonly value: string;
  readonly origin: Origin;
}

/** @throws DiscoError `bad-setting` */
export function resolveToken(scope: Scope, { values, origins }: Resolved): ResolvedToken | null {
  const names = tokenSettings[scope];
  const token = values[names.itself];
  const file = values[names.file];
  const [ofToken, ofFile] = [origins[names.itself], origins[names.file]];
  if (token !== null && file !== null && ofToken.kind === ofFile.kind) {
    throw new DiscoError(`${describeOrigin(ofToken)} and ${describeOrigin(ofFile)} are both set`, {
      code: "bad-setting",
      hint: "Unset one of them: they may not be the same token.",
    });
  }
  const isFileNearer = token === null || nearness.indexOf(ofFile.kind) < nearness.indexOf(ofToken.kind);
  if (file !== null && isFileNearer) return { value: readTokenFile(file, describeOrigin(ofFile)), origin: ofFile };
  return token === null ? null : { value: token, origin: ofToken };
}

/** The token that was found is the one that holds, also when settings are read again: the file that it was in names it no more. */
export function adoptToken(secret: string, env: NodeJS.ProcessEnv): void {
  env[tokenSettings.admin.env] = secret;
  delete env[settingOf(tokenSettings.admin.file).env];
}
