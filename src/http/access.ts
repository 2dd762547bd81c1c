/** Tokens and what they allow. Comparison takes the same time whichever token comes, and however much of it is right. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Scope } from "../settings/daemon-settings.ts";
import { dataTokenOf } from "./data-token.ts";

/** Each allows what stands before it. */
const scopes: readonly Scope[] = ["read", "submit", "admin"];
/** `Authorization: Basic`, as Disco's client has it: the token is the password of this user. */
const basicUser = "token";

export class Access {
  readonly #digests: readonly (readonly [Scope, Buffer])[];
  readonly #forData: readonly Buffer[];

  constructor(tokens: Readonly<Partial<Record<Scope, string>>>) {
    this.#digests = scopes.flatMap((scope) => {
      const token = tokens[scope];
      return token === undefined ? [] : [[scope, digestOf(token)] as const];
    });
    this.#forData = Object.values(tokens).map((token) => digestOf(dataTokenOf(token)));
  }

  /** No tokens are set: everybody may do everything. */
  get isOpen(): boolean {
    return this.#digests.length === 0;
  }

  /** What the token allows at most, `null` when it is none of ours. */
  scopeOf(token: string): Scope | null {
    const digest = digestOf(token);
    let found: Scope | null = null;
    for (const [scope, ours] of this.#digests) if (timingSafeEqual(digest, ours)) found = scope;
    return found;
  }

  /** Whether it is a token for data (`data-token.ts`), derived from one of ours. It has no scope. */
  isForData(token: string): boolean {
    const digest = digestOf(token);
    let found = false;
    for (const ours of this.#forData) if (timingSafeEqual(digest, ours)) found = true;
    return found;
  }
}

export function allows(has: Scope, needed: Scope): boolean {
  return scopes.indexOf(has) >= scopes.indexOf(needed);
}

/** The token in an Authorization header, `null` when the header has another form. */
export function tokenOf(authorization: string): string | null {
  const [, scheme = "", value = ""] = /^([A-Za-z]+) +([A-Za-z0-9._~+/=!#$%&'*^`|-]+) *$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return null;
  const pair = Buffer.from(value, "base64").toString("utf8");
  return pair.startsWith(`${basicUser}:`) ? pair.slice(basicUser.length + 1) : null;
}

/** Of equal length for all tokens, which the comparison needs. */
function digestOf(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}
