/**
 * Ends requests whose bodies trickle. Time in which we do not read (the disk is slow) is not the client's fault and does not
 * count, nor does the time of grace.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpLimits } from "./limits.ts";
import { sendRefusal } from "./refusal.ts";

interface Watched {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly bytesBefore: number;
  waitedMs: number;
}

export class BodyWatch {
  readonly #watched = new Set<Watched>();
  readonly #limits: HttpLimits;
  readonly #timer: NodeJS.Timeout;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#look(), limits.watchEveryMs);
    this.#timer.unref();
  }

  add(request: IncomingMessage, response: ServerResponse, path: string): void {
    const watched = { request, response, path, bytesBefore: request.socket.bytesRead, waitedMs: 0 };
    this.#watched.add(watched);
    request.once("close", () => this.#watched.delete(watched));
    response.once("close", () => this.#watched.delete(watched));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const watched of this.#watched) {
      const { request, response, path, bytesBefore } = watched;
      if (request.complete) {
        this.#watched.delete(watched);
        continue;
      }
      if (request.readableLength >= request.readableHighWaterMark) continue;
      watched.waitedMs += this.#limits.watchEveryMs;
      if (!isTooSlow(request.socket.bytesRead - bytesBefore, watched.waitedMs, this.#limits)) continue;
      this.#watched.delete(watched);
      if (response.headersSent) request.socket.destroy();
      else
        sendRefusal(request, response, path, { status: 408, code: "slow-body", message: "the body came too slowly" });
    }
  }
}

export function isTooSlow(
  bytes: number,
  ms: number,
  { bodyGraceMs, bodyBytesPerSecondMin }: Pick<HttpLimits, "bodyGraceMs" | "bodyBytesPerSecondMin">,
): boolean {
  return bytes < ((ms - bodyGraceMs) / 1000) * bodyBytesPerSecondMin || (bytes === 0 && ms >= bodyGraceMs);
}
