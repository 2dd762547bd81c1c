/**
 * Journals that may share a root, and which volumes in its data directory are whose: garbage collection deletes what its own journal does
 * not name.
 */
import { daemonJournalName } from "../settings/daemon-settings.ts";

export const scriptsJournalName = "journal.sqlite";
/** Of scripts without a daemon. Those that leave nothing behind have higher numbers, nodes and daemons lower ones. */
export const scriptsVolume = "vol1000";

export const rootJournals = {
  daemon: { file: daemonJournalName, isMeant: (volume: string) => volume.length < scriptsVolume.length },
  scripts: { file: scriptsJournalName, isMeant: (volume: string) => volume === scriptsVolume },
} as const;
