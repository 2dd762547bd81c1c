/** What becomes of a request at a master that may not lead: it is answered here, with its age, or by the leader, or later. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { SecureContextOptions } from "node:tls";
import type { Refusal } from "../../http/refusal.ts";
import { Refused } from "../../http/refusal.ts";
import type { Leading } from "../leading.ts";
import type { ServedMaster } from "../served-master.ts";
import { type Forwarded, Forwarding, forwardedHeader } from "./forwarding.ts";
import { whoAnswers } from "./own-answers.ts";
import type { Place } from "./place.ts";
import type { Target } from "./target.ts";

/** Header of answers of a master that follows: so many milliseconds ago it last knew everything that was recorded. */
export const ageHeader = "disco-age-ms";

export interface FollowingParts {
  readonly leading: Leading;
  readonly instance: string;
  readonly master: Pick<ServedMaster, "results">;
  readonly tls?: SecureContextOptions | undefined;
  readonly closing: AbortSignal;
}

export class Following {
  readonly #parts: FollowingParts;
  readonly #forwarding: Forwarding;

  constructor(parts: FollowingParts) {
    this.#parts = parts;
    this.#forwarding = new Forwarding(parts);
    parts.closing.addEventListener("abort", () => this.#forwarding.close(), { once: true });
  }

  /** `true`: it has been answered. @throws Refused when nobody can answer it now */
  async take(request: IncomingMessage, response: ServerResponse, place: Place, target: Target): Promise<boolean> {
    const { leading, master } = this.#parts;
    if (leading.role() === "leads") return false;
    const who = await whoAnswers(request.method ?? "", place, target, master);
    if (who === "here") return this.#here(response);
    // It was sent here by a master that took this one for the leader.
    if (request.headers[forwardedHeader] !== undefined) throw new Refused(noLeader("this master does not lead"));
    const leader = leading.leader();
    // While it was looked, this master may have begun to lead.
    if (leading.role() === "leads") return false;
    const forwarded = leader === null ? null : await this.#forward(request, response, leader.url);
    if (forwarded?.kind === "answered") return true;
    if (who === "fallback") return this.#here(response);
    if (leader === null || forwarded === null) throw new Refused(noLeader("no master is known to lead"));
    throw new Refused(unreached(leader.url, forwarded.cause));
  }

  #here(response: ServerResponse): false {
    response.setHeader(ageHeader, String(Math.max(0, Math.round(this.#parts.leading.ageMs()))));
    return false;
  }

  async #forward(request: IncomingMessage, response: ServerResponse, url: string): Promise<Forwarded> {
    try {
      return await this.#forwarding.pass(request, response, url);
    } catch {
      // Half an answer cannot be taken back: the connection ends, and the client asks again.
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return { kind: "answered" };
      }
      if (this.#parts.closing.aborted) throw new Refused(stopping);
      throw new Refused(noLeader(`the master that leads (${url}) broke off before it answered`));
    }
  }
}

function unreached(url: string, cause: Error): Refusal {
  const { code } = cause as { readonly code?: unknown };
  if (typeof code !== "string" || !/^(?:ERR_TLS|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)/.test(code)) {
    return noLeader(`the master that leads (${url}) does not answer`);
  }
  return {
    ...noLeader(`this master does not trust the certificate of the one that leads (${url}): ${cause.message}`),
    hint: "Give all masters DISCO_TLS_CA with who signed their certificates, and certificates for what they advertise.",
  };
}

/** Clients ask again, those with several masters the next one first. */
function noLeader(message: string): Refusal {
  return {
    status: 503,
    code: "no-leader",
    message,
    hint: "Another master takes over within seconds: ask again.",
    retry: "here",
    headers: { "retry-after": "1" },
  };
}

/** What a server answers that is about to end. */
export const stopping: Refusal = {
  status: 503,
  code: "stopping",
  message: "the daemon is stopping",
  headers: { connection: "close", "retry-after": "1" },
};
