/** Gathers assignments into one command a node, with the lines of the jobs' logs behind them. */
import type { Assignment } from "../../protocol/messages.ts";
import type { Command } from "../commands.ts";

export class Assigned {
  readonly #logs: Command[] = [];
  readonly #byHost = new Map<string, Assignment[]>();

  add(host: string, { assignment, log }: { assignment: Assignment; log: Command }): void {
    this.#logs.push(log);
    const others = this.#byHost.get(host);
    if (others === undefined) this.#byHost.set(host, [assignment]);
    else others.push(assignment);
  }

  commands(): Command[] {
    const assigns = [...this.#byHost].map(([host, assignments]): Command => ({ kind: "assign", host, assignments }));
    return [...assigns, ...this.#logs];
  }
}
