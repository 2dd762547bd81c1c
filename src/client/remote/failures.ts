/** From what went wrong between client and master to an error that says what to check. Tokens are in none of them. */
import type { IncomingHttpHeaders } from "node:http";
import * as v from "valibot";
import { CommError, DataError, DiscoError, type DiscoErrorDetails, JobError } from "../../errors.ts";
import { type ErrorDetails, errorAnswer } from "../../protocol/api/errors.ts";
import { type Interrupted, isOtherProtocol, isTlsProblem } from "./interrupted.ts";
import type { Retries } from "./retries.ts";

/** Part of an answer that is not ours, in messages. */
const excerptCharsMax = 200;
const codesOfTokens: ReadonlySet<string> = new Set(["unauthorized", "forbidden", "too-many-wrong-tokens"]);

export interface Refusal {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Nobody answered. `address` is that of the master or masters, as the user gave it; `retries`: who was asked, and for how long. */
export function noAnswer(address: string, failure: Interrupted, { seconds, round }: Retries): CommError {
  const { code, isSent, cause } = failure;
  const details = { url: address, cause };
  if (isTlsProblem(code)) {
    return new CommError(`no safe connection to the master at ${address}: ${failure.message}`, {
      ...details,
      code: "tls",
      retry: "never",
      hint: "Check whether the server speaks https at all, and its certificate; NODE_EXTRA_CA_CERTS names a file of further authorities.",
    });
  }
  if (isOtherProtocol(code)) return notDisco(address, `its answer is no HTTP (${failure.message})`, cause);
  const tried = seconds >= 1 ? `, tried for ${Math.round(seconds)} s` : "";
  const { reasons } = round;
  if (reasons.size > 1) {
    const each = [...reasons].map(([master, reason]) => `${master}: ${reason}`).join("; ");
    return new CommError(`none of the masters ${address} answers${tried}: ${each}`, { ...details, hint: hintOf(code) });
  }
  return new CommError(
    `the master at ${address} ${isSent ? "did not answer" : "cannot be reached"}: ${reasonOf(failure)}${tried}`,
    {
      ...details,
      hint: hintOf(code),
    },
  );
}

/** It hung up when it was asked by http, and speaks TLS (`tls-probe.ts`). */
export function speaksOnlyTls({ master, cause }: Interrupted): CommError {
  return new CommError(`the master at ${master} speaks TLS, and was asked without`, {
    url: master,
    cause,
    code: "tls",
    retry: "never",
    hint: `Name it by ${master.replace(/^http:/, "https:")}; NODE_EXTRA_CA_CERTS names a file of authorities of your own.`,
  });
}

/** In words. */
export function reasonOf({ code, message }: Interrupted): string {
  switch (code) {
    case "ECONNREFUSED":
      return "connection refused";
    case "ECONNRESET":
    case "EPIPE":
      return "the connection broke off";
    case "ENOTFOUND":
      return "no machine of that name is known";
    case "EAI_AGAIN":
      return "its name could not be looked up";
    case "ETIMEDOUT":
      return message.includes(" for ") ? message : "the connection timed out";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no way to that machine";
    default:
      return code === "" ? message : `${message} (${code})`;
  }
}

function hintOf(code: string): string {
  switch (code) {
    case "ECONNREFUSED":
      return "Check host and port, and that `disco start` was run there (`disco status` tells): by itself, a daemon listens on port 8989 of 127.0.0.1 only.";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "Check the name of the machine in the address.";
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "Check host and port, that the machine is up, and that no firewall is in between.";
    default:
      return "Check that the daemon runs there (`disco status`), and its log.";
  }
}

/** What the master, or whoever stands in front of it, answered instead of an answer. */
export function refusalOf(address: string, { status, headers, text }: Refusal): DiscoError {
  const details = detailsIn(text);
  if (status === 401 || status === 403) {
    if (details === null || codesOfTokens.has(details.code)) return tokenRefused(address, status, details);
  }
  if (details !== null)
    return details.code === "too-many-wrong-tokens" ? tokenRefused(address, 401, details) : rebuilt(details);
  if (status === 502 || status === 503 || status === 504) {
    return new CommError(`what stands before the master at ${address} cannot reach it (status ${status})`, {
      url: address,
      hint: "Check that the daemon runs, and what is between it and this machine.",
    });
  }
  const isPage = /^text\/html\b/i.test(headers["content-type"] ?? "") || /^\s*</.test(text);
  return notDisco(
    address,
    isPage ? `it answers with a web page (status ${status})` : `status ${status}: ${excerpt(text)}`,
  );
}

/** Of a status of the 4xx and 5xx that may be another when asked again. */
export function isTransientStatus(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

export function notDisco(address: string, why: string, cause?: unknown): CommError {
  return new CommError(`the server at ${address} is not a Disco master: ${why}`, {
    code: "not-disco",
    retry: "never",
    url: address,
    hint: "Check host, port and, behind a proxy, the path of the address.",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** It is a Disco master, of a version with which this one cannot talk. */
export function otherVersion(address: string, what: string): CommError {
  return new CommError(`the master at ${address} is of another version: ${what}`, {
    code: "version-mismatch",
    retry: "never",
    url: address,
    hint: "Install the same version of disco-mapreduce here and where the master runs.",
  });
}

/** The error in the body of an answer; `null`: there is none. */
export function detailsIn(text: string): ErrorDetails | null {
  try {
    const parsed = v.safeParse(errorAnswer, JSON.parse(text));
    return parsed.success ? parsed.output.error : null;
  } catch {
    return null;
  }
}

/** The error as it was thrown where the master runs. */
export function rebuilt({ name, message, failure, ...details }: ErrorDetails): DiscoError {
  switch (name) {
    case "JobError":
      return new JobError(message, { ...details, ...(failure === undefined ? {} : { failure }) });
    case "DataError":
      return new DataError(message, details);
    case "CommError":
      return new CommError(message, details);
    default:
      return new DiscoError(message, details);
  }
}

function tokenRefused(address: string, status: number, details: ErrorDetails | null): CommError {
  const isUnknown = status === 401;
  const why = details?.message ?? `status ${status}`;
  const shared: DiscoErrorDetails = { retry: "never", url: address };
  return isUnknown
    ? new CommError(`the master at ${address} asks for a token: ${why}`, {
        ...shared,
        code: "unauthorized",
        hint: "Give it in DISCO_TOKEN, in a file that DISCO_TOKEN_FILE names, or as new Disco(address, { token }).",
      })
    : new CommError(`the master at ${address} does not allow this: ${why}`, {
        ...shared,
        code: "forbidden",
        hint: "Give a token that allows more, in DISCO_TOKEN, DISCO_TOKEN_FILE or as new Disco(address, { token }).",
      });
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > excerptCharsMax ? `${line.slice(0, excerptCharsMax)}…` : line || "an empty answer";
}
