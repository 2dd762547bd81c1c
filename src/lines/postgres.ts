/**
 * Lines of job logs in a table of PostgreSQL that is kept short. They are written in the background, all that have come since the last
 * statement by the next; while the server is away the oldest are dropped once there are too many.
 *
 * Numbers are given before rows can be seen: of two masters that add at the same time (one is deposed) a follower may miss lines.
 */
import { CommError } from "../errors.ts";
import { channelOf } from "../postgres/channel.ts";
import type { PostgresConnection } from "../postgres/connection.ts";
import type { PostgresDatabase } from "../postgres/database.ts";
import { Wake } from "../wake.ts";
import type { FedLine, LineFeed } from "./lines.ts";

const linesMaxByDefault = 100_000;
/** Of a statement. */
const batchLinesMax = 1_000;
/** The table is cut when so many of its share were added since. */
const slackPerCut = 4;
const lookAgainMs = 1_000;
const outagePauseMs = 500;

export class PostgresLineFeed implements LineFeed {
  readonly #cluster: string;
  readonly #channel: string;
  readonly #linesMax: number;
  readonly #writer: PostgresConnection;
  readonly #reader: PostgresConnection;
  #waiting: string[] = [];
  #writing: Promise<void> | null = null;
  #sinceCut = 0;

  constructor(database: PostgresDatabase, linesMax: number = linesMaxByDefault) {
    this.#cluster = database.cluster;
    this.#channel = channelOf("lines", database.cluster);
    this.#linesMax = linesMax;
    this.#writer = database.connection();
    this.#reader = database.connection();
  }

  add(lines: readonly FedLine[]): void {
    for (const line of lines) this.#waiting.push(JSON.stringify(line));
    const over = this.#waiting.length - this.#linesMax;
    if (over > 0) this.#waiting.splice(0, over);
    if (this.#waiting.length > 0) this.#writing ??= this.#write().finally(() => (this.#writing = null));
  }

  async *follow(signal: AbortSignal): AsyncGenerator<readonly FedLine[]> {
    const wake = new Wake();
    signal.addEventListener("abort", wake.call);
    let deaf: (() => void) | null = null;
    let last = 0;
    try {
      while (!signal.aborted) {
        try {
          deaf ??= await this.#reader.listen(this.#channel, wake.call);
          const rows = await this.#reader.query<{ id: string; line: string }>({
            text: "SELECT id, line FROM disco_lines WHERE cluster = $1 AND id > $2 ORDER BY id LIMIT $3",
            values: [this.#cluster, last, batchLinesMax],
            name: "disco-lines",
          });
          last = Number(rows.at(-1)?.id ?? last);
          if (rows.length > 0) yield rows.map(({ line }) => JSON.parse(line) as FedLine);
          else await wake.wait(lookAgainMs);
        } catch (error) {
          if (!(error instanceof CommError) || error.code === "postgres-closed") throw error;
          await wake.wait(outagePauseMs);
        }
      }
    } finally {
      signal.removeEventListener("abort", wake.call);
      deaf?.();
    }
  }

  /** What was added is written, or dropped, before it ends. */
  async close(): Promise<void> {
    await this.#writing;
    await Promise.all([this.#writer.close(), this.#reader.close()]);
  }

  /** Never fails. */
  async #write(): Promise<void> {
    // What is added in the same turn goes along.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#waiting.splice(0, batchLinesMax);
      try {
        await this.#writer.query({
          text: `WITH added AS (INSERT INTO disco_lines (cluster, line)
              SELECT $1, line FROM unnest($2::text[]) WITH ORDINALITY AS new (line, place) ORDER BY place RETURNING 1)
            SELECT pg_notify($3, '') FROM added LIMIT 1`,
          values: [this.#cluster, lines, this.#channel],
          name: "disco-add-lines",
        });
        this.#sinceCut += lines.length;
        if (this.#sinceCut > this.#linesMax / slackPerCut) await this.#cut();
      } catch {
        // As the contract has it: dropped.
      }
    }
  }

  async #cut(): Promise<void> {
    this.#sinceCut = 0;
    await this.#writer.query({
      text: `DELETE FROM disco_lines WHERE cluster = $1 AND id <= (
        SELECT id FROM disco_lines WHERE cluster = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)`,
      values: [this.#cluster, this.#linesMax],
    });
  }
}
