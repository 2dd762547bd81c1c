/** How the parts of the HTTP server fit together: each is a handler below a prefix; the guard has been passed already. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Scope } from "../../settings/daemon-settings.ts";

/** Who asks, as the guard found out. */
export interface Caller {
  /** The highest scope that the caller's token allows; `admin` for everybody when no tokens are set. */
  readonly scope: Scope;
  /** The server asks for tokens of its own. */
  readonly isGuarded?: boolean;
  /** Aborted when the server closes: answers that wait for something end then, with what there is. */
  readonly closing?: AbortSignal;
}

/** Answers the request. What it throws or rejects with becomes a 500, or ends a reply that has begun. */
export type Handler = (request: IncomingMessage, response: ServerResponse, caller: Caller) => void | Promise<void>;
