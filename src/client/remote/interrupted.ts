/** An exchange that came to no end: nobody answered, or the answer broke off. Never leaves this folder: see `failures.ts`. */

export class Interrupted extends Error {
  override name = "Interrupted";
  /** Of the system, e.g. `ECONNREFUSED`; empty: none. */
  readonly code: string;
  /** The request may have arrived. */
  readonly isSent: boolean;
  /** Base URL of the master that was asked. */
  readonly master: string;

  constructor(cause: Error, { isSent, master }: { isSent: boolean; master: string }) {
    super(cause.message, { cause });
    this.code = (cause as NodeJS.ErrnoException).code ?? "";
    this.isSent = isSent;
    this.master = master;
  }

  /** Somebody may answer when asked again. A certificate that is wrong, or a server of another protocol, stays what it is. */
  get isTransient(): boolean {
    return !isTlsProblem(this.code) && !isOtherProtocol(this.code);
  }
}

export function isTlsProblem(code: string): boolean {
  return /^(?:CERT_|ERR_TLS_|ERR_SSL_|EPROTO$|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code);
}

/** A server that was asked by http hung up without a word: it may speak TLS. */
export function isHangUp({ code, master }: Interrupted): boolean {
  return master.startsWith("http:") && (code === "ECONNRESET" || code === "EPIPE");
}

/** What answers does not speak HTTP. */
export function isOtherProtocol(code: string): boolean {
  return code.startsWith("HPE_") && code !== "HPE_INVALID_EOF_STATE";
}
