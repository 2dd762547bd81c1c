import { after, before, describe } from "node:test";
import { openNats } from "../nats/connection.ts";
import { NatsServers, skipWithoutNats } from "../nats/server.test-kit.ts";
import { leaseContract } from "./contract.ts";
import { openNatsLease } from "./nats.ts";

describe("leases on a NATS server", { skip: skipWithoutNats() }, () => {
  let servers: NatsServers;
  let clusters = 0;
  before(async () => {
    servers = await NatsServers.start();
  });
  after(() => servers.dispose());

  leaseContract("NATS", async () => {
    const cluster = `c${++clusters}`;
    const open = () => openNats({ url: servers.url, cluster, name: "test", allowOldEngine: true });
    const [a, b] = [await open(), await open()];
    return {
      leases: [await openNatsLease(a), await openNatsLease(b)],
      dispose: async () => {
        await Promise.all([a.close(), b.close()]);
      },
    };
  });
});
