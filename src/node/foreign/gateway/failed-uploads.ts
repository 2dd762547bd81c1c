/**
 * Nodes that did not take a blob of a job's workers lately. A client asks for another place without the host that failed, which is
 * the gateway to it, whichever node is behind: it means those.
 */
const rememberedMs = 10 * 60_000;

export class FailedUploads {
  readonly #gateway: string;
  readonly #now: () => number;
  readonly #until = new Map<string, number>();

  /** `gateway`: the host in its addresses. `now`: milliseconds of a clock that never goes back. */
  constructor(gateway: string, now: () => number = () => performance.now()) {
    this.#gateway = gateway;
    this.#now = now;
  }

  add(node: string): void {
    this.#until.delete(node);
    this.#until.set(node, this.#now() + rememberedMs);
  }

  nodesMeantBy(host: string): readonly string[] {
    if (host !== this.#gateway) return [host];
    const now = this.#now();
    for (const [node, until] of this.#until) if (until < now) this.#until.delete(node);
    return [...this.#until.keys()];
  }
}
