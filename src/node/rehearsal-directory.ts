import { join } from "node:path";

/** Where spare workers rehearse (`worker/rehearsal.ts`), each in a directory of its own: `DATA/_rehearsal/PID`. */
export function rehearsalDirectory(dataDir: string): string {
  return join(dataDir, "_rehearsal");
}
