/** What S3 answers when it does not do what it is asked, with the remedy. */
import { DataError, type DiscoError } from "../errors.ts";
import { textOf } from "./xml.ts";

/** An answer that is no success: its status, and what its body says. */
export interface Refusal {
  readonly status: number;
  /** `NoSuchKey` …; empty where the answer has no body. */
  readonly code: string;
  readonly message: string;
  /** Of the bucket, where the server tells it. */
  readonly region: string | null;
  /** The server's clock, as it writes it. */
  readonly date: string | null;
}

/** Bytes of an error's body that are read. */
export const refusalBytesMax = 64 * 1024;
const messageLengthMax = 300;

export function refusalOf(status: number, header: (name: string) => string | null, body: string): Refusal {
  return {
    status,
    code: textOf(body, "Code") ?? "",
    message: (textOf(body, "Message") ?? "").replace(/\s+/g, " ").slice(0, messageLengthMax),
    region: header("x-amz-bucket-region") ?? textOf(body, "Region"),
    date: header("date"),
  };
}

const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 509]);
const passingCodes: ReadonlySet<string> = new Set([
  "InternalError",
  "OperationAborted",
  "RequestTimeout",
  "ServiceUnavailable",
  "SlowDown",
  "Throttling",
  "ConditionalRequestConflict",
]);

/** Whether the same request may succeed a little later. */
export function isPassing({ status, code }: Refusal): boolean {
  return passingCodes.has(code) || (passing.has(status) && code !== "NotImplemented");
}

/** `what` is the address that was asked for; without secrets. */
export function refusedError(refusal: Refusal, what: string, isSigned: boolean): DiscoError {
  const { status, code, message, region, date } = refusal;
  const said = `${status}${code === "" ? "" : ` ${code}`}${message === "" ? "" : `: ${message}`}`;
  const error = (name: string, text: string, hint?: string, retry: "never" | "elsewhere" = "elsewhere"): DataError =>
    new DataError(`${what}: ${text}`, { code: name, url: what, retry, ...(hint === undefined ? {} : { hint }) });
  switch (code) {
    case "NoSuchBucket":
    case "InvalidBucketName":
      return error(
        "no-such-bucket",
        "there is no such bucket",
        "Check its name, AWS_REGION and AWS_ENDPOINT_URL.",
        "never",
      );
    case "NoSuchKey":
      return error("no-such-file", "there is no such object", "Check the key: it is case-sensitive.");
    case "InvalidObjectState":
      return error(
        "archived",
        `the object is archived (${said})`,
        "Restore it first, or move it to a class that is read at once.",
      );
    case "RequestTimeTooSkewed":
      return error(
        "clock-skew",
        `the clock of this machine is too far from the server's${date === null ? "" : ` (${date})`}`,
        "Set the clock of this machine, and keep it with NTP.",
      );
    case "InvalidAccessKeyId":
      return error(
        "s3-access",
        `the server does not know the key of AWS_ACCESS_KEY_ID (${said})`,
        "Check AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL.",
      );
    case "SignatureDoesNotMatch":
      return error(
        "s3-access",
        `the server finds the signature wrong (${said})`,
        "Check AWS_SECRET_ACCESS_KEY and AWS_REGION; a proxy on the way must not change requests.",
      );
    case "ExpiredToken":
    case "InvalidToken":
    case "TokenRefreshRequired":
      return error(
        "s3-access",
        `the credentials have expired (${said})`,
        "Set new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
      );
    case "PermanentRedirect":
    case "AuthorizationHeaderMalformed":
    case "IllegalLocationConstraintException":
      return error(
        "wrong-region",
        `the bucket is in another region (${said})`,
        `Set AWS_REGION=${region ?? "the bucket's region"}.`,
      );
  }
  if (status === 301 || status === 307) {
    return error(
      "wrong-region",
      `the bucket is elsewhere (${said})`,
      `Set AWS_REGION=${region ?? "the bucket's region"}.`,
    );
  }
  if (status === 401 || status === 403) {
    const hint = isSigned
      ? "Check that the account of AWS_ACCESS_KEY_ID may read (or, for a store of blobs: write) there."
      : "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where tasks run, and here.";
    return error("s3-access", `access is denied (${said})`, hint);
  }
  if (status === 404) return error("no-such-file", "there is no such object", "Check bucket and key.");
  if (status === 412) return error("input-changed", "the object is another one than it was when it was looked at");
  return error("s3-refused", `the server answered ${said}`);
}
