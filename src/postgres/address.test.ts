import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { parsePostgresUrl } from "./address.ts";
import { encryptionFor } from "./encryption.ts";

describe("the address of PostgreSQL", () => {
  test("is a URL as libpq reads it, shown without user and password", () => {
    const address = parsePostgresUrl("postgresql://us%40er:p%2Fw@db.example:6432/jobs?sslmode=verify-full", {});
    const { host, port, database, user, password, sslMode, shown } = address;
    assert.deepEqual([host, port, database, user, password], ["db.example", 6432, "jobs", "us@er", "p/w"]);
    assert.equal(sslMode, "verify-full");
    assert.equal(shown, "postgres://db.example:6432/jobs");
  });

  test("takes the environment's for what is not in it, and a directory for a Unix socket", () => {
    const environment = { PGPASSWORD: "secret", PGUSER: "ann", PGSSLMODE: "require" };
    const { password, user, sslMode, port } = parsePostgresUrl("postgres://db/jobs", environment);
    assert.deepEqual([password, user, sslMode, port], ["secret", "ann", "require", 5432]);
    const socket = parsePostgresUrl("postgres:///jobs?host=/run/postgresql", environment);
    assert.deepEqual([socket.host, socket.sslMode], ["/run/postgresql", "disable"]);
    assert.equal(parsePostgresUrl("postgres://[::1]/jobs", {}).host, "::1");
  });

  test("that is wrong is refused with the form expected, and without its password", () => {
    for (const wrong of [
      "mysql://ann:secret@db/jobs",
      "ann:secret@db",
      "postgres://ann:secret@a:1,b:2/jobs",
      "postgres://ann:secret@db:99999/jobs",
      "postgres://ann:secret@db/jobs?sslmode=sure",
      "postgres://ann:secret@db/jobs?sslrootcert=/no/such/file",
      "postgres://ann:secret@db/jobs?pasword=x",
      "postgres://ann:secret%@db/jobs",
    ]) {
      assert.throws(
        () => parsePostgresUrl(wrong, {}),
        (error: Error & { code?: string; hint?: string }) =>
          error.code === "bad-postgres-url" &&
          /PGPASSWORD/.test(error.hint ?? "") &&
          !`${error.message}${error.hint}`.includes("secret"),
        wrong,
      );
    }
  });
});

describe("encryption of the way to PostgreSQL", () => {
  const of = (mode: string): ReturnType<typeof encryptionFor> =>
    encryptionFor(parsePostgresUrl(`postgres://127.0.0.1:1/jobs?sslmode=${mode}`, {}), 1_000);

  test("is by sslmode: none, any, or with the server's name checked", async () => {
    assert.equal(await of("disable"), false);
    assert.deepEqual(await of("require"), { rejectUnauthorized: false });
    const verifyFull = await of("verify-full");
    assert.ok(verifyFull !== false && verifyFull.rejectUnauthorized === undefined);
    const foreign = { subject: { CN: "db" }, subjectaltname: "DNS:db" } as never;
    assert.match(String(verifyFull.checkServerIdentity?.("db", foreign)), /127\.0\.0\.1/);
    const verifyCa = await of("verify-ca");
    assert.ok(verifyCa !== false && verifyCa.rejectUnauthorized === undefined);
    assert.equal(verifyCa.checkServerIdentity?.("any", {} as never), undefined);
  });

  test("is what the server has when it is preferred", async () => {
    for (const [answer, expected] of [
      ["S", { rejectUnauthorized: false }],
      ["N", false],
    ] as const) {
      const server = createServer((socket) => socket.once("data", () => socket.end(answer))).listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as { port: number };
      const address = parsePostgresUrl(`postgres://127.0.0.1:${port}/jobs`, {});
      assert.deepEqual(await encryptionFor(address, 1_000), expected);
      server.close();
    }
    await assert.rejects(of("prefer"), { code: "postgres-unreachable" });
  });
});
