/**
 * A journal in an SQLite file, for one process at a time.
 *
 * - Ownership is SQLite's exclusive lock on the file, taken when it is opened and held until it is closed. The operating
 *   system releases it with the process, so a dead owner needs no detection, and a live one cannot be overlooked.
 *   (A lock file with a process id would outlive a crash, and the id may be somebody else's by then.)
 * - Write-ahead log with `synchronous=NORMAL`: a commit is one write, without fsync. What was committed survives the death
 *   of the process at any moment; a power cut may take the last records, never one from the middle.
 * - Only its user reads and writes it: it tells what jobs work on.
 * - When the disk is full, it lives on its reserve (`reserve.ts`), once.
 * - Every record carries the hash of its bytes, checked when it is read: SQLite itself does not notice flipped bits.
 */
import { closeSync, openSync } from "node:fs";
import type { StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import { DiscoError } from "../errors.ts";
import type { Head, StoredRecord, StoredSnapshot } from "./journal.ts";
import type { Store } from "./local.ts";
import { LocalJournal } from "./local.ts";
import { Reserve } from "./reserve.ts";

/** In the file's header: whose it is, and its layout. */
const applicationId = 0x44697363;
const layoutVersion = 1;
const privateMode = 0o600;
const recordBytesMax = 256 * 2 ** 20;
/** The log is folded into the file every so many pages of 4 KiB. */
const checkpointPages = 4_000;

const layout = `
  CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, body BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS snapshots (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL,
    body BLOB NOT NULL) STRICT;
`;

/**
 * Opens the journal, and creates it where there is none. Its directory has to exist.
 * @throws DiscoError `journal-busy` (a live process has it), `journal-corrupt`, `newer-version`, `not-a-journal`
 */
export function openSqliteJournal(file: string): LocalJournal {
  return new LocalJournal(new SqliteStore(file));
}

class SqliteStore implements Store {
  readonly caps = { engine: "sqlite", durable: "process-crash", replicas: 1, recordBytesMax } as const;
  readonly #file: string;
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #reserve: Reserve;

  constructor(file: string) {
    this.#file = file;
    this.#reserve = new Reserve(`${file}-reserve`);
    const fresh = createPrivate(file);
    this.#db = this.#try("open", () => new DatabaseSync(file, { timeout: 0 }));
    try {
      this.#withReserve(() => this.#try("open", () => this.#prepare(fresh)));
      this.#reserve.fill();
      this.#insert = this.#try("open", () =>
        this.#db.prepare("INSERT INTO records (seq, hash, body) VALUES (?, ?, ?)"),
      );
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  head(): Head {
    const row = this.#get<Head>("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1");
    return row ?? this.#get<Head>("SELECT seq, hash FROM snapshots") ?? { seq: 0, hash: "" };
  }

  insert({ seq, hash, body }: StoredRecord): boolean {
    try {
      this.#withReserve(() => this.#insert.run(seq, hash, body));
    } catch (error) {
      // The primary key is what makes an append conditional, even if two journals were open on one file.
      if (codeOf(error) === constraintCode) return false;
      throw error instanceof DiscoError ? error : this.#error("append", error);
    }
    this.#reserve.fill();
    return true;
  }

  *scan(from: number): Generator<StoredRecord> {
    const select = this.#try("read", () =>
      this.#db.prepare("SELECT seq, hash, body FROM records WHERE seq >= ? ORDER BY seq"),
    );
    const rows = select.iterate(from);
    for (;;) {
      const next = this.#try("read", () => rows.next());
      if (next.done === true) return;
      yield next.value as unknown as StoredRecord;
    }
  }

  record(seq: number): StoredRecord | null {
    return this.#get<StoredRecord>("SELECT seq, hash, body FROM records WHERE seq = ?", seq);
  }

  snapshot(): StoredSnapshot | null {
    return this.#get<StoredSnapshot>("SELECT seq, hash, body FROM snapshots");
  }

  snapshotHead(): Head | null {
    return this.#get<Head>("SELECT seq, hash FROM snapshots");
  }

  setSnapshot({ seq, hash, body }: StoredSnapshot): void {
    const sql = "INSERT OR REPLACE INTO snapshots (id, seq, hash, body) VALUES (1, ?, ?, ?)";
    this.#withReserve(() => this.#try("save a snapshot", () => this.#db.prepare(sql).run(seq, hash, body)));
  }

  remove(below: number): void {
    this.#try("trim", () => this.#db.prepare("DELETE FROM records WHERE seq < ?").run(below));
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #prepare(fresh: boolean): void {
    this.#db.exec("PRAGMA locking_mode = EXCLUSIVE");
    // Takes the lock. A file that is not a database fails here.
    this.#db.exec("BEGIN EXCLUSIVE; COMMIT");
    const owner = this.#pragma("application_id");
    const tables = this.#get<{ n: number }>("SELECT count(*) AS n FROM sqlite_schema")?.n ?? 0;
    if (!fresh && owner !== applicationId && tables > 0) {
      throw new DiscoError(`${this.#file} is a database of another program`, { code: "not-a-journal" });
    }
    const version = this.#pragma("user_version");
    if (version > layoutVersion) {
      throw new DiscoError(`${this.#file} has version ${version}, this software reads up to ${layoutVersion}`, {
        code: "newer-version",
        hint: "Use the newer release of disco-mapreduce that wrote it, or another root directory.",
      });
    }
    this.#db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${checkpointPages}`,
    );
    if (tables === 0) {
      this.#db.exec(
        `BEGIN; ${layout} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${layoutVersion}; COMMIT`,
      );
    }
  }

  /** What fails for want of room is tried once more with that of the reserve. SQLite has undone the first attempt. */
  #withReserve(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!isFull(error) || !this.#reserve.release()) throw error;
      write();
    }
  }

  #pragma(name: string): number {
    const row = this.#db.prepare(`PRAGMA ${name}`).get();
    return Number(row?.[name] ?? 0);
  }

  #get<T>(sql: string, ...values: number[]): T | null {
    const row = this.#try("read", () => this.#db.prepare(sql).get(...values));
    return row === undefined ? null : ({ ...row } as T);
  }

  #try<T>(what: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw error instanceof DiscoError ? error : this.#error(what, error);
    }
  }

  #error(what: string, cause: unknown): DiscoError {
    const why = cause instanceof Error ? cause.message : String(cause);
    const { code, hint } = meanings[codeOf(cause)] ?? { code: "journal-error" };
    return new DiscoError(`cannot ${what} the journal ${this.#file}: ${why}`, {
      code,
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** SQLite gives its log and index the mode of the file. `false`: there is one already, or SQLite is to say why it cannot be made. */
function createPrivate(file: string): boolean {
  try {
    closeSync(openSync(file, "wx", privateMode));
    return true;
  } catch {
    return false;
  }
}

const constraintCode = 19;
const fullCode = "disk-full";

/** SQLite's primary result codes (the low byte of `errcode`). */
const meanings: Readonly<Record<number, { code: string; hint?: string }>> = {
  5: { code: "journal-busy", hint: "Another process uses this root directory: let it end, or choose another one." },
  8: { code: "journal-read-only", hint: "Make the root directory writable, or choose another one." },
  10: { code: "journal-io", hint: "Look for errors of the disk." },
  11: { code: "journal-corrupt", hint: "Restore the journal from a copy, or start with another root directory." },
  13: { code: fullCode, hint: "Make room on the disk of the root directory." },
  14: { code: "journal-missing", hint: "Does its directory exist, and may this user write there?" },
  26: {
    code: "not-a-journal",
    hint: "The file is no SQLite database: move it away, or choose another root directory.",
  },
};

function isFull(error: unknown): boolean {
  return error instanceof DiscoError ? error.code === fullCode : meanings[codeOf(error)]?.code === fullCode;
}

function codeOf(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : 0;
}
