import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePostgresUrl } from "./address.ts";
import { PostgresConnection } from "./connection.ts";
import { PostgresServer, whyNoPostgres } from "./server.test-kit.ts";

test("a connection is encrypted by sslmode, and refused where the server cannot show who it is", {
  skip: whyNoPostgres() ?? false,
}, async (t) => {
  const server = await PostgresServer.start();
  t.after(() => server.stop());
  const certificate = await server.certify();
  if (certificate === null) {
    t.skip("openssl is not there to make a certificate");
    return;
  }
  const isEncrypted = async (parameters: string, host = "127.0.0.1"): Promise<unknown> => {
    const url = server.url.replace("127.0.0.1", host).replace("sslmode=disable", parameters);
    const connection = new PostgresConnection(parsePostgresUrl(url, {}));
    try {
      const text = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
      return (await connection.query<{ ssl: boolean }>({ text }))[0]?.ssl;
    } finally {
      await connection.close();
    }
  };
  assert.equal(await isEncrypted("sslmode=disable"), false);
  for (const mode of ["allow", "prefer", "require"]) assert.equal(await isEncrypted(`sslmode=${mode}`), true, mode);
  const trusted = `sslrootcert=${encodeURIComponent(certificate)}`;
  for (const mode of ["require", "verify-ca", "verify-full"]) {
    assert.equal(await isEncrypted(`sslmode=${mode}&${trusted}`), true, mode);
  }
  assert.equal(await isEncrypted(`sslmode=verify-ca&${trusted}`, "localhost"), true);
  await assert.rejects(isEncrypted(`sslmode=verify-full&${trusted}`, "localhost"), /altnames|does not match/);
  for (const mode of ["verify-ca", "verify-full"]) await assert.rejects(isEncrypted(`sslmode=${mode}`), /certificate/);
});
