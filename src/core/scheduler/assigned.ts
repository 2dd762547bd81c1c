/**
 * Gathers assignments into one command a node, with the lines of the jobs' logs behind them, and what makes room for them before.
 */
import type { Assignment } from "../../protocol/messages.ts";
import type { Command } from "../commands.ts";

export class Assigned {
  readonly #commands: Command[] = [];
  readonly #logs: Command[] = [];
  readonly #before: Command[] = [];
  /** By host: its assignments. Not made for the one of the first: most rounds give one task to one node. */
  #byHost: Map<string, Assignment[]> | null = null;
  #firstHost: string | null = null;
  #ofFirst: Assignment[] = [];

  /** What becomes of attempts that give up their slots. */
  before(commands: readonly Command[]): void {
    this.#before.push(...commands);
  }

  add(host: string, { assignment, log }: { assignment: Assignment; log: Command }): void {
    this.#logs.push(log);
    const others = host === this.#firstHost ? this.#ofFirst : this.#byHost?.get(host);
    if (others === undefined) this.#begin(host, [assignment]);
    else others.push(assignment);
  }

  commands(): Command[] {
    for (const log of this.#logs) this.#commands.push(log);
    this.#logs.length = 0;
    return this.#before.length === 0 ? this.#commands : [...this.#before, ...this.#commands];
  }

  #begin(host: string, assignments: Assignment[]): void {
    this.#commands.push({ kind: "assign", host, assignments });
    if (this.#firstHost === null) {
      this.#firstHost = host;
      this.#ofFirst = assignments;
    } else {
      this.#byHost ??= new Map();
      this.#byHost.set(host, assignments);
    }
  }
}
