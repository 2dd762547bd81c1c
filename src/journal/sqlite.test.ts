import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { appendSome, journalContract } from "./contract.ts";
import { openSqliteJournal } from "./sqlite.ts";

journalContract("an SQLite journal", async () => {
  const directory = await mkdtemp(join(tmpdir(), "journal-"));
  const file = join(directory, "journal.sqlite");
  let journal = openSqliteJournal(file);
  return {
    journal,
    reopen: async () => {
      journal.closeSync();
      journal = openSqliteJournal(file);
      return journal;
    },
    dispose: async () => {
      journal.closeSync();
      await rm(directory, { recursive: true });
    },
  };
});

describe("the file of an SQLite journal", () => {
  const inDirectory = (title: string, act: (file: string) => Promise<void>): void => {
    it(title, async () => {
      const directory = await mkdtemp(join(tmpdir(), "journal-"));
      try {
        await act(join(directory, "journal.sqlite"));
      } finally {
        await rm(directory, { recursive: true });
      }
    });
  };

  /** Changes the file behind the journal's back. */
  const tamper = (file: string, sql: string): void => {
    const db = new DatabaseSync(file);
    db.exec(sql);
    db.close();
  };

  inDirectory("has one owner at a time, also within a process", async (file) => {
    const journal = openSqliteJournal(file);
    assert.throws(() => openSqliteJournal(file), { code: "journal-busy" });
    journal.closeSync();
    openSqliteJournal(file).closeSync();
  });

  inDirectory("is taken over from an owner that was killed, with all that it had committed", async (file) => {
    const script = `
      import { openSqliteJournal } from ${JSON.stringify(new URL("./sqlite.ts", import.meta.url).href)};
      import { encodeRecord } from ${JSON.stringify(new URL("./record.ts", import.meta.url).href)};
      const journal = openSqliteJournal(${JSON.stringify(file)});
      for (let n = 0; n < 100; n++) {
        const head = journal.headSync();
        journal.appendSync(head.seq, encodeRecord({ seq: head.seq + 1, prevHash: head.hash, epoch: 1, writer: "w", nonce: "n", events: [n] }));
      }
      console.log("committed");
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(owner.stdout, "data");
    assert.throws(() => openSqliteJournal(file), { code: "journal-busy" });
    owner.kill("SIGKILL");
    await once(owner, "exit");
    const journal = openSqliteJournal(file);
    assert.equal([...journal.readSync(1)].length, 100);
    journal.closeSync();
  });

  inDirectory("with a missing record is refused, and the record is named", async (file) => {
    const journal = openSqliteJournal(file);
    await appendSome(journal, 5);
    journal.closeSync();
    tamper(file, "DELETE FROM records WHERE seq = 3");
    const again = openSqliteJournal(file);
    assert.throws(() => [...again.readSync(1)], { code: "journal-gap", message: /record 3 / });
    again.closeSync();
  });

  inDirectory("with a changed byte is refused, and the record is named", async (file) => {
    const journal = openSqliteJournal(file);
    await appendSome(journal, 5);
    journal.closeSync();
    tamper(
      file,
      "UPDATE records SET body = CAST(replace(CAST(body AS TEXT), 'event 4', 'event 9') AS BLOB) WHERE seq = 4",
    );
    const again = openSqliteJournal(file);
    assert.throws(() => [...again.readSync(1)], { code: "journal-corrupt", message: /record 4 / });
    again.closeSync();
  });

  inDirectory("of a newer version is refused", async (file) => {
    openSqliteJournal(file).closeSync();
    tamper(file, "PRAGMA user_version = 99");
    assert.throws(() => openSqliteJournal(file), { code: "newer-version", message: /version 99/ });
  });

  inDirectory("of another program is refused and left as it is", async (file) => {
    tamper(file, "CREATE TABLE songs (title TEXT)");
    assert.throws(() => openSqliteJournal(file), { code: "not-a-journal" });
    tamper(file, "INSERT INTO songs VALUES ('still here')");
  });

  inDirectory("that is no database is refused", async (file) => {
    await writeFile(file, "no database at all, but a text of more than a hundred bytes, ".repeat(20));
    assert.throws(() => openSqliteJournal(file), { code: "not-a-journal" });
  });

  it("in a directory that does not exist is refused", () => {
    assert.throws(() => openSqliteJournal(join(tmpdir(), "no-such-directory", "journal.sqlite")), {
      code: "journal-missing",
    });
  });
});
