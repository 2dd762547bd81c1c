/** `POST /disco/job/new`: takes a job pack, and says what became of it as Disco's client expects it. */
import { DiscoError } from "../../errors.ts";
import { tooLarge } from "../../http/limits.ts";
import { type Refusal, Refused } from "../../http/refusal.ts";
import type { DiscoInterfaceParts, Exchange } from "./disco-interface.ts";
import { submitBody } from "./pack-upload.ts";
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
  const { headers } = request;
  if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) {
    const message = "a job pack with a Content-Length, or in chunks, expected";
    throw new Refused({ status: 411, code: "length-required", message });
  }
  try {
    const name = await submitBody(request, master, { bytesMax: packBytesMax, idempotencyKey: key });
    sendJson(response, 200, ["ok", name]);
  } catch (error) {
    if (!(error instanceof DiscoError)) throw error;
    const refusal = refusalOf(error, packBytesMax);
    if (refusal !== null) throw new Refused(refusal);
    // 200, since Disco's client looks for the reason there.
    sendJson(response, 200, ["error", `Job failed to start: ${error.message}`]);
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
  if (code === "body-too-large") return tooLarge(bytesMax);
  if (code === "cut-off") return { status: 400, code, message };
  if (code === "upload-failed") return { status: 500, code, message };
  if (error.retry !== "here" && !laterCodes.has(code)) return null;
  const headers = { "retry-after": String(retryAfterSeconds) };
  return { status: 503, code, message, headers, ...(hint === undefined ? {} : { hint }) };
}

/** Reasons that pass. */
const laterCodes: ReadonlySet<string> = new Set(["disk-full", "read-only", "closed", "too-many-jobs"]);
