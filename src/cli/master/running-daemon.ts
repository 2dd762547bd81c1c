/** Finds the daemon that runs on a root: its file may be stale, so that only an answer with the same `instance` counts. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CommError } from "../../errors.ts";
import { type DaemonRecord, daemonRecordName } from "../../settings/daemon-settings.ts";

/** A daemon on this machine answers within milliseconds, unless the machine is at its limits. */
const answerTimeoutMs = 3000;
const answerBytesMax = 64 * 1024;

/**
 * `null`: none runs there.
 * @throws CommError when one holds the port and does not answer: to go on without it would split the work without a word
 */
export async function daemonOf(root: string): Promise<DaemonRecord | null> {
  const record = await readRecord(join(root, daemonRecordName));
  if (record === null) return null;
  const health = await askHealth(record.url);
  return health?.instance === record.instance ? record : null;
}

async function readRecord(file: string): Promise<DaemonRecord | null> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return null;
  }
  try {
    const record = JSON.parse(text) as Partial<DaemonRecord> | null;
    const valid = typeof record?.url === "string" && URL.canParse(record.url) && typeof record.instance === "string";
    return valid ? (record as DaemonRecord) : null;
  } catch {
    // Cut off by a crash: whoever wrote it is gone.
    return null;
  }
}

/** `null`: nobody listens, or somebody else does. */
async function askHealth(url: string): Promise<{ readonly instance?: unknown } | null> {
  const { request } = await import("node:http");
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly instance?: unknown } | null>();
  const asking = request(new URL("/healthz", url), { agent: false, timeout: answerTimeoutMs }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.length > answerBytesMax) response.destroy();
    });
    response.on("close", () => resolve(asObject(text)));
  });
  asking.on("error", () => resolve(null));
  asking.on("timeout", () => {
    reject(
      new CommError(`the daemon at ${url} does not answer`, {
        url,
        hint: "`disco status` and `disco doctor` say more; `--master local` works without it.",
      }),
    );
    asking.destroy();
  });
  asking.end();
  return promise;
}

function asObject(text: string): { readonly instance?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}
