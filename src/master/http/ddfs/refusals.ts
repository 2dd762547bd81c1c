/** What an error of DDFS answers: Disco's status and words below `/ddfs`, an object with its code below `/api/v1/ddfs`. */
import { DiscoError } from "../../../errors.ts";
import type { Refusal } from "../../../http/refusal.ts";
import { detailsOf, retryAfterOf, statusOf } from "../api/statuses.ts";
import type { HttpReply } from "../route.ts";

interface Saying {
  readonly status: number;
  /** Disco's own, which its tests look at; what is wrong here follows. */
  readonly words: string;
}

const sayings: Readonly<Record<string, Saying>> = {
  "tag-unauthorized": { status: 401, words: "Incorrect or missing token." },
  "bad-name": { status: 403, words: "Invalid tag" },
  "bad-url": { status: 403, words: "Invalid url object" },
  "bad-json": { status: 403, words: "Invalid request body." },
  "bad-body": { status: 403, words: "Invalid request body." },
  "body-too-large": { status: 403, words: "Invalid request." },
  "cut-off": { status: 403, words: "Invalid request." },
  "bad-attribute": { status: 403, words: "Invalid attribute key or value" },
  "too-many-attributes": { status: 403, words: "Too many attributes" },
  "blob-condemned": { status: 403, words: "Invalid url object" },
  "bad-replicas": { status: 403, words: "Not enough nodes for replicas." },
  "not-enough-nodes": { status: 403, words: "Not enough nodes for replicas." },
  "unknown-tag": { status: 404, words: "Tag not found." },
  "unknown-attribute": { status: 404, words: "Tag attribute not found." },
  "tag-changed": { status: 412, words: "The tag has changed." },
  // As Disco answers for new blobs; who asks for the tags of a host gets 404.
  "unknown-node": { status: 500, words: "Internal server error: unknown host" },
  "not-found": { status: 404, words: "Not found." },
  "method-not-allowed": { status: 405, words: "Not allowed." },
  "bad-header": { status: 400, words: "Invalid request." },
};
const later: ReadonlySet<string> = new Set([
  "read-only",
  "disk-full",
  "closed",
  "deposed",
  "not-leading",
  "engine-away",
  "no-leader",
  "too-busy",
]);
const retryAfterSeconds = 1;

/** `null`: nobody expected it. */
export function ddfsReply(error: unknown, isApi: boolean): HttpReply | null {
  if (!(error instanceof DiscoError)) return null;
  if (isApi) {
    const details = detailsOf(error);
    const status = apiStatus(error.code);
    return { ...json({ error: details }, status), ...retryAfter(retryAfterOf(status)) };
  }
  const { code, message } = error;
  if (later.has(code)) {
    return { ...plain(`Temporary server error. Try again. (${message})`, 503), ...retryAfter(retryAfterSeconds) };
  }
  const saying = sayings[code];
  if (saying === undefined) return plain(`Internal server error: ${message}`, 500);
  return plain(`${saying.words} (${message})`, saying.status);
}

/** The same as a refusal, for requests whose body is still coming. */
export function ddfsRefusal(error: DiscoError, isApi: boolean): Refusal {
  const { code, message, hint, retry } = error;
  const saying = sayings[code];
  if (isApi) return { status: apiStatus(code), code, message, retry, ...(hint === undefined ? {} : { hint }) };
  const status = later.has(code) ? 503 : (saying?.status ?? 500);
  return {
    status,
    code,
    message: `${saying?.words ?? (status === 503 ? "Temporary server error. Try again." : "Internal server error:")} (${message})`,
    ...retryAfter(status === 503 ? retryAfterSeconds : null),
  };
}

/** Codes that are the same in both forms; the rest as everywhere in the API. */
function apiStatus(code: string): number {
  switch (code) {
    case "tag-unauthorized":
      return 401;
    case "tag-changed":
      return 412;
    case "gc-running":
      return 409;
    case "too-busy":
      return 503;
    default:
      return statusOf(code);
  }
}

function retryAfter(seconds: number | null): { readonly headers?: Readonly<Record<string, string>> } {
  return seconds === null ? {} : { headers: { "retry-after": String(seconds) } };
}

function json(value: unknown, status: number): HttpReply {
  return { status, contentType: "application/json", body: Buffer.from(JSON.stringify(value), "utf8") };
}

function plain(value: string, status: number): HttpReply {
  return { status, contentType: "text/plain; charset=utf-8", body: Buffer.from(value, "utf8") };
}
