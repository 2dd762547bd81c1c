/**
 * Who may ask what: Host and Origin first (`host-check.ts`), then the token (`access.ts`) and its scope. Reads headers only;
 * a refused request leaves no trace but a line in the log.
 */
import type { IncomingMessage } from "node:http";
import { Access, allows, tokenOf } from "../../http/access.ts";
import { HostCheck } from "../../http/host-check.ts";
import type { Refusal } from "../../http/refusal.ts";
import { TrustedNetworks } from "../../http/trusted-networks.ts";
import { WrongTokens } from "../../http/wrong-tokens.ts";
import type { Scope } from "../../settings/daemon-settings.ts";
import { placeOf } from "./place.ts";
import { requiredScope } from "./required-scope.ts";
import type { Target } from "./target.ts";

export interface GuardOptions {
  readonly tokens: Readonly<Partial<Record<Scope, string>>>;
  /** Names of this server. */
  readonly names: Iterable<string>;
  /** Other names under which it may be addressed, each with or without a port. */
  readonly allowedHosts: Iterable<string>;
  /** Networks whose machines need no token. */
  readonly trustedNetworks: readonly string[];
  /** Milliseconds of a clock that never goes back, for tests. */
  readonly now?: () => number;
}

export class Guard {
  readonly #access: Access;
  readonly #hosts: HostCheck;
  readonly #wrong: WrongTokens;
  readonly #trusted: TrustedNetworks;

  constructor({ tokens, names, allowedHosts, trustedNetworks, now }: GuardOptions) {
    this.#access = new Access(tokens);
    this.#hosts = new HostCheck(names, allowedHosts);
    this.#wrong = new WrongTokens(now);
    this.#trusted = new TrustedNetworks(trustedNetworks);
  }

  /** The request needs a token of ours. One that needs none may carry a tag's. */
  isGuarded(request: IncomingMessage): boolean {
    return !this.#access.isOpen && !this.#needsNone(request);
  }

  /** Whether the request comes from where it may. */
  originRefusal({ method = "", headers }: IncomingMessage): Refusal | null {
    return this.#hosts.refusal(method, headers);
  }

  /** The scope that the request's token allows, when it allows what is asked. */
  scopeOf(request: IncomingMessage, target: Target): Scope | Refusal {
    if (this.#access.isOpen) return "admin";
    // What masters and nodes say to each other is signed by the cluster's token, wherever they are.
    if (placeOf(target).kind !== "bus" && this.#needsNone(request)) return "admin";
    const address = request.socket.remoteAddress ?? "";
    const locked = this.#wrong.refusal(address);
    if (locked !== null) return locked;
    const { authorization } = request.headers;
    if (authorization === undefined) return unauthorized("this server asks for a token");
    const token = tokenOf(authorization);
    const scope = token === null ? null : this.#access.scopeOf(token);
    const needed = requiredScope(request.method ?? "", target);
    if (scope === null && token !== null && this.#access.isForData(token)) {
      return needed === "read" && placeOf(target).kind === "data" ? "read" : dataOnly;
    }
    if (scope === null) {
      this.#wrong.add(address, authorization);
      return unauthorized("the token is wrong");
    }
    return allows(scope, needed) ? scope : forbidden(scope, needed);
  }

  /** It comes from a trusted network, and has no token of ours that says what it may. */
  #needsNone({ headers: { authorization }, socket }: IncomingMessage): boolean {
    if (!this.#trusted.has(socket.remoteAddress)) return false;
    const token = authorization === undefined ? null : tokenOf(authorization);
    return token === null || (this.#access.scopeOf(token) === null && !this.#access.isForData(token));
  }
}

const dataOnly: Refusal = {
  status: 403,
  code: "forbidden",
  message: "the token that came is for reading files of jobs, and allows nothing else",
};

function unauthorized(message: string): Refusal {
  return {
    status: 401,
    code: "unauthorized",
    message,
    hint: "Set DISCO_TOKEN to a token of this daemon, or DISCO_TOKEN_FILE to the file that it is in, or send the header Authorization: Bearer TOKEN.",
    headers: { "www-authenticate": 'Bearer realm="disco", Basic realm="disco", charset="UTF-8"' },
  };
}

function forbidden(has: Scope, needed: Scope): Refusal {
  return {
    status: 403,
    code: "forbidden",
    message: `this needs a token with the scope ${needed}, the one that came has ${has}`,
  };
}
