/** Settings: can they be read, do they fit together, and is anything misspelt. */
import { DiscoError } from "../../../errors.ts";
import { type ResolvedDaemon, resolveDaemonSettings } from "../../../settings/daemon.ts";
import type { SettingSources } from "../../../settings/resolve.ts";
import { unknownVariables } from "../../../settings/unknown-variables.ts";
import { type Finding, fail, messageOf, ok, warn } from "./finding.ts";

export interface SettingsFindings {
  readonly findings: readonly Finding[];
  /** `null`: a daemon would not start with them. */
  readonly daemon: ResolvedDaemon | null;
}

export function checkSettings(sources: SettingSources): SettingsFindings {
  const unknown = unknownVariables(sources.env).map(({ variable, hint }) => {
    return warn("environment", `${variable} is no setting`, hint);
  });
  let daemon: ResolvedDaemon;
  try {
    daemon = resolveDaemonSettings(sources);
  } catch (error) {
    const known = error instanceof DiscoError ? error : null;
    const check =
      known?.code === "bad-config-file" ? "config-file" : known?.code === "token-needed" ? "token" : "settings";
    const hint = known?.hint ?? "Correct it.";
    return {
      findings: [
        ...messageOf(error)
          .split("\n")
          .map((line) => fail(check, line, hint)),
        ...unknown,
      ],
      daemon: null,
    };
  }
  const { configFile, settings, warnings } = daemon;
  const scopes = Object.keys(settings.tokens);
  const findings = [
    ok(
      "settings",
      configFile === null ? "settings are valid; there is no disco.toml" : `settings are valid; ${configFile}`,
    ),
    ok(
      "token",
      scopes.length === 0
        ? `no tokens are set, and ${settings.host} needs none`
        : `tokens are set: ${scopes.join(", ")}`,
    ),
    ...warnings.map((warning) =>
      warn("token", warning.replace(/\.$/, ""), "Set DISCO_TOKEN, too, if that is not meant."),
    ),
    ...unknown,
  ];
  return { findings, daemon };
}
