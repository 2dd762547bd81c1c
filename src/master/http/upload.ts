/**
 * `POST /disco/job/new`: the job pack goes to a file as it comes, and the file to the master. Whatever ends the upload on the way
 * leaves neither a job nor a file.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { DiscoError } from "../../errors.ts";
import { diskFullHint, isDiskFull } from "../../node/disk.ts";
import type { DiscoInterfaceParts, Exchange } from "./disco-interface.ts";
import { tooLarge } from "./limits.ts";
import { type Refusal, Refused } from "./refusal.ts";
import { sendJson } from "./send.ts";

/** So long should a client wait that was refused for lack of room. */
const retryAfterSeconds = 5;
const idempotencyKeyPattern = /^[\x21-\x7e]{1,200}$/;

export async function submitUpload({ request, response }: Exchange, parts: DiscoInterfaceParts): Promise<void> {
  const { master, packBytesMax } = parts;
  const key = request.headers["idempotency-key"];
  if (key !== undefined && (typeof key !== "string" || !idempotencyKeyPattern.test(key))) {
    const message = "Idempotency-Key is 1 to 200 visible characters";
    throw new Refused({ status: 400, code: "bad-idempotency-key", message });
  }
  // Asked before the pack is read: nobody should send a gigabyte for this answer.
  if (!(await master.settings()).acceptNewJobs) throw new Refused(notAccepted);
  try {
    const file = await receiveUpload(request, { directory: master.incomingDir, bytesMax: packBytesMax });
    sendJson(response, 200, ["ok", await master.submitFile(file, key === undefined ? {} : { idempotencyKey: key })]);
  } catch (error) {
    if (!(error instanceof DiscoError)) throw error;
    const refusal = refusalOf(error, packBytesMax);
    if (refusal !== null) throw new Refused(refusal);
    // 200, since Disco's client looks for the reason there.
    sendJson(response, 200, ["error", `Job failed to start: ${error.message}`]);
  }
}

/**
 * Writes the body to a new file in the directory, as it comes: each part is in the file before the next is read, so that a slow
 * disk slows the sender down. The request is not destroyed when it is refused: the answer is still to be sent.
 * @throws DiscoError `length-required`, `too-large`, `disk-full`, `upload-failed`
 */
export async function receiveUpload(
  request: IncomingMessage,
  { directory, bytesMax }: { readonly directory: string; readonly bytesMax: number },
): Promise<string> {
  const { headers } = request;
  if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) {
    throw new DiscoError("a job pack with a Content-Length, or in chunks, expected", { code: "length-required" });
  }
  const tooLarge = new DiscoError(`a job pack of at most ${bytesMax} bytes expected`, { code: "too-large" });
  if (Number(headers["content-length"] ?? 0) > bytesMax) throw tooLarge;
  const file = join(directory, `${randomUUID()}.pack`);
  let complete = false;
  try {
    await mkdir(directory, { recursive: true });
    const handle = await open(file, "wx", 0o600);
    try {
      let bytes = 0;
      for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        bytes += part.byteLength;
        if (bytes > bytesMax) throw tooLarge;
        await handle.writeFile(part);
      }
    } finally {
      await handle.close();
    }
    complete = true;
    return file;
  } catch (cause) {
    if (cause instanceof DiscoError) throw cause;
    if (isDiskFull(cause))
      throw new DiscoError("the master's disk is full", { code: "disk-full", cause, hint: diskFullHint });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DiscoError(`the job pack did not arrive: ${why}`, { code: "upload-failed", cause });
  } finally {
    if (!complete) await rm(file, { force: true });
  }
}

const notAccepted: Refusal = {
  status: 403,
  code: "jobs-not-accepted",
  message: "No new jobs should be submitted to this cluster.",
};

/** Of errors that are not about the pack's contents. Disco's client tries again after a 503. */
function refusalOf(error: DiscoError, bytesMax: number): Refusal | null {
  const { code, message, hint } = error;
  if (code === notAccepted.code) return notAccepted;
  if (code === "too-large") return tooLarge(bytesMax);
  if (code === "length-required") return { status: 411, code, message };
  if (code === "upload-failed") return { status: 400, code, message };
  if (error.retry !== "here" && !laterCodes.has(code)) return null;
  const headers = { "retry-after": String(retryAfterSeconds) };
  return { status: 503, code, message, headers, ...(hint === undefined ? {} : { hint }) };
}

/** Reasons that pass. */
const laterCodes: ReadonlySet<string> = new Set(["disk-full", "read-only", "closed", "too-many-jobs"]);
