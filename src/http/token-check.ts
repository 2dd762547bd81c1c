/**
 * The tokens of a node's server: to read, any that is right or is derived for data will do; to store, one that may submit jobs. From an
 * address that does not guess.
 */
import type { IncomingMessage } from "node:http";
import type { Scope } from "../settings/daemon-settings.ts";
import { Access, allows, tokenOf } from "./access.ts";
import type { Refusal } from "./refusal.ts";
import type { TrustedNetworks } from "./trusted-networks.ts";
import { WrongTokens } from "./wrong-tokens.ts";

export interface TokenCheckOptions {
  /** Whose machines need no token. Default: nobody's. */
  readonly trusted?: TrustedNetworks | undefined;
  /** Milliseconds of a clock that never goes back, for tests. */
  readonly now?: () => number;
}

export class TokenCheck {
  readonly #access: Access;
  readonly #wrong: WrongTokens;
  readonly #trusted: TrustedNetworks | undefined;

  constructor(tokens: Readonly<Partial<Record<Scope, string>>>, { trusted, now }: TokenCheckOptions = {}) {
    this.#access = new Access(tokens);
    this.#wrong = new WrongTokens(now);
    this.#trusted = trusted;
  }

  /** No tokens are set. */
  get isOpen(): boolean {
    return this.#access.isOpen;
  }

  /** It comes from a network whose machines need no token. */
  isTrusted(address: string | undefined): boolean {
    return this.#trusted?.has(address) === true;
  }

  /** Why the request is not answered; `null`: it has a token of ours that allows it, or none is needed. */
  refusal({ headers, socket }: IncomingMessage, needed: Scope = "read"): Refusal | null {
    if (this.isOpen || this.isTrusted(socket.remoteAddress)) return null;
    const address = socket.remoteAddress ?? "";
    const locked = this.#wrong.refusal(address);
    if (locked !== null) return locked;
    const { authorization } = headers;
    if (authorization === undefined) return unauthorized("this node asks for a token");
    const token = tokenOf(authorization);
    const scope = token === null ? null : this.#access.scopeOf(token);
    if (scope !== null) return allows(scope, needed) ? null : forbidden(`the one that came has ${scope}`, needed);
    if (token !== null && this.#access.isForData(token)) {
      return needed === "read" ? null : forbidden("the one that came is for reading files", needed);
    }
    this.#wrong.add(address, authorization);
    return unauthorized("the token is wrong");
  }
}

function forbidden(has: string, needed: Scope): Refusal {
  return { status: 403, code: "forbidden", message: `this needs a token with the scope ${needed}, ${has}` };
}

function unauthorized(message: string): Refusal {
  return {
    status: 401,
    code: "unauthorized",
    message,
    hint: "All masters and nodes of a cluster are started with the same token (--token-file).",
    headers: { "www-authenticate": 'Bearer realm="disco"' },
  };
}
