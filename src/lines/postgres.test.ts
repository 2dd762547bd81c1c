import { after, before, describe } from "node:test";
import { PostgresDatabase } from "../postgres/database.ts";
import { PostgresServer, whyNoPostgres } from "../postgres/server.test-kit.ts";
import { lineFeedContract } from "./contract.ts";
import { PostgresLineFeed } from "./postgres.ts";

const reason = whyNoPostgres();

describe("PostgreSQL", { skip: reason ?? false }, () => {
  let server: PostgresServer;
  let clusters = 0;
  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server.stop());

  lineFeedContract("PostgreSQL", async (linesMax) => {
    const database = await PostgresDatabase.open(server.url, { cluster: `cluster ${++clusters}` });
    const feeds = [new PostgresLineFeed(database, linesMax), new PostgresLineFeed(database, linesMax)] as const;
    return {
      feeds,
      dispose: async () => {
        await Promise.all(feeds.map((feed) => feed.close()));
      },
    };
  });
});
