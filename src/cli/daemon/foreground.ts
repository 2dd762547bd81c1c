/** `disco start --foreground`: the daemon itself, in this process, until a signal ends it. */
import type { ResolvedDaemon } from "../../settings/daemon.ts";
import type { SettingFlags } from "../../settings/resolve.ts";
import { settingOf } from "../../settings/table.ts";
import { tokenSettings } from "../../settings/tokens.ts";
import { exitCodes } from "../exit-codes.ts";
import { failedHandshake, tellStarter } from "./handshake.ts";
import { openDaemonLog } from "./log.ts";
import { startRecordOf, writeStartRecord } from "./start-record.ts";
import { StopSignals } from "./stop-signals.ts";

/** @throws what `openDaemon` throws */
export async function runForeground(resolved: ResolvedDaemon, flags: SettingFlags): Promise<number> {
  const { settings, configFile, warnings } = resolved;
  const log = openDaemonLog(settings);
  const signals = new StopSignals();
  forgetTokens();
  try {
    const { openDaemon } = await import("../../master/daemon.ts");
    const daemon = await openDaemon(settings, { log });
    try {
      writeStartRecord(settings.root, startRecordOf(daemon.instance, flags, settings));
    } catch (error) {
      // On a full disk a daemon still answers questions; only `disco restart` asks how it was started.
      log.warn({ err: error }, "how the daemon was started could not be noted");
    }
    const { tokens, ...shown } = settings;
    log.info({ ...shown, scopes: Object.keys(tokens), configFile, url: daemon.url }, "started");
    for (const warning of warnings) log.warn(warning);
    await tellStarter({ kind: "ready", url: daemon.url, instance: daemon.instance });
    const end = await Promise.race([signals.first, daemon.failed]);
    if (end instanceof Error) log.fatal({ err: end }, "cannot go on");
    else log.info({ signal: end }, "stopping");
    await daemon.close();
    log.info("stopped");
    return end instanceof Error ? exitCodes.failed : exitCodes.ok;
  } catch (error) {
    log.fatal({ err: error }, "failed");
    await tellStarter(failedHandshake(error));
    throw error;
  }
}

/** Workers inherit the environment, and run code of people who may not have these rights. */
function forgetTokens(): void {
  for (const { itself, file } of Object.values(tokenSettings)) {
    for (const name of [itself, file]) delete process.env[settingOf(name).env];
  }
}
