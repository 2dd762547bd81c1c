import { after, before, describe } from "node:test";
import { PostgresDatabase } from "../postgres/database.ts";
import { PostgresServer, whyNoPostgres } from "../postgres/server.test-kit.ts";
import { leaseContract } from "./contract.ts";
import { PostgresLease } from "./postgres.ts";

const reason = whyNoPostgres();

describe("PostgreSQL", { skip: reason ?? false }, () => {
  let server: PostgresServer;
  let clusters = 0;
  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server.stop());

  leaseContract("PostgreSQL", async () => {
    const database = await PostgresDatabase.open(server.url, { cluster: `cluster ${++clusters}` });
    const leases = [new PostgresLease(database), new PostgresLease(database)] as const;
    return {
      leases,
      dispose: async () => {
        await Promise.all(leases.map((lease) => lease.close()));
      },
    };
  });
});
