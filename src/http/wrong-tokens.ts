/**
 * Guessing tokens is slow: an address that sent several wrong ones is refused for a while, right ones included, or the refusal
 * would tell which guess was right. The same wrong token again is no guess: a client with an old token locks nobody out.
 *
 * Addresses of one IPv6 network (/64) count as one. What is remembered is bounded.
 */
import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import type { Refusal } from "./refusal.ts";

/** Different wrong tokens within `windowMs`. */
export const wrongTokensMax = 10;
const windowMs = 60_000;
export const lockMs = 60_000;
const addressesMax = 10_000;

interface Tries {
  readonly since: number;
  readonly tokens: Set<string>;
  lockedUntil: number;
}

export class WrongTokens {
  readonly #tries = new Map<string, Tries>();
  /** Milliseconds of a clock that never goes back. */
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Milliseconds until the address is heard again, 0 when it is. */
  lockedFor(address: string): number {
    const tries = this.#tries.get(networkOf(address));
    return tries === undefined ? 0 : Math.max(0, tries.lockedUntil - this.#now());
  }

  /** What an address is answered that is not heard; `null`: it is heard. */
  refusal(address: string): Refusal | null {
    const ms = this.lockedFor(address);
    if (ms === 0) return null;
    const seconds = Math.ceil(ms / 1000);
    return {
      status: 429,
      code: "too-many-wrong-tokens",
      message: `too many wrong tokens came from this address; it is heard again in ${seconds} s`,
      headers: { "retry-after": String(seconds) },
    };
  }

  add(address: string, token: string): void {
    const now = this.#now();
    const network = networkOf(address);
    let tries = this.#tries.get(network);
    if (tries === undefined || (now - tries.since > windowMs && tries.lockedUntil <= now)) {
      this.#tries.delete(network);
      const oldest = this.#tries.size < addressesMax ? undefined : this.#tries.keys().next().value;
      if (oldest !== undefined) this.#tries.delete(oldest);
      this.#tries.set(network, (tries = { since: now, tokens: new Set(), lockedUntil: 0 }));
    }
    tries.tokens.add(createHash("sha256").update(token, "utf8").digest("base64"));
    if (tries.tokens.size < wrongTokensMax) return;
    tries.lockedUntil = now + lockMs;
    tries.tokens.clear();
  }
}

function networkOf(address: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (v4 !== undefined) return v4;
  if (!isIPv6(address)) return address;
  const [before = "", after] = (address.split("%")[0] ?? "").split("::");
  const head = before === "" ? [] : before.split(":");
  const tail = after === undefined || after === "" ? [] : after.split(":");
  const groups =
    after === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return groups.slice(0, 4).join(":");
}
