/**
 * A node's reports on their way to the master: everything that is reported in one turn of the event loop goes as one message.
 *
 * Reports are repeated until the master has taken them (the bus delivers at most once); the master takes each of them once,
 * as attempts have identities. Progress may be lost: it is dropped while the master does not answer.
 */
import { toJsonBytes } from "../bus/json.ts";
import type { AttemptId, NodeReport } from "../protocol/messages.ts";
import type { MasterLink } from "./master-link.ts";
import { attemptOf } from "./task-reports.ts";

const replyPatienceMs = 10_000;
const retryDelayMs = 200;
/** A message of at most so many reports: the master's turn stays short. */
const batchMax = 512;

export class Reports {
  readonly #master: MasterLink;
  #waiting: NodeReport[] = [];
  #scheduled = false;
  #sending = false;
  #closed = false;

  constructor(master: MasterLink) {
    this.#master = master;
  }

  add(report: NodeReport): void {
    if (this.#closed) return;
    if (report.kind === "progress" && this.#waiting.length > batchMax) return;
    this.#waiting.push(report);
    if (this.#scheduled || this.#sending) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#send();
    });
  }

  /** Attempts whose end the master has not acknowledged yet. */
  unacknowledged(): AttemptId[] {
    return this.#waiting.flatMap((report) =>
      report.kind === "began" || report.kind === "progress" || report.kind === "message" ? [] : [attemptOf(report)],
    );
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#waiting.length > 0 && !this.#closed) {
      const batch = this.#waiting.slice(0, batchMax);
      try {
        await this.#master.ask("report", toJsonBytes({ reports: batch }), replyPatienceMs);
        this.#waiting.splice(0, batch.length);
      } catch {
        if (this.#closed) break;
        await new Promise<void>((resolve) => setTimeout(resolve, retryDelayMs).unref());
      }
    }
    this.#sending = false;
  }
}
