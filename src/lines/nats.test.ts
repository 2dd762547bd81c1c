import { after, before, describe } from "node:test";
import { openNats } from "../nats/connection.ts";
import { NatsServers, skipWithoutNats } from "../nats/server.test-kit.ts";
import { lineFeedContract } from "./contract.ts";
import { openNatsLines } from "./nats.ts";

/** Of a line of the contract, as it is stored. */
const lineBytes = 150;

describe("lines on a NATS server", { skip: skipWithoutNats() }, () => {
  let servers: NatsServers;
  let clusters = 0;
  before(async () => {
    servers = await NatsServers.start();
  });
  after(() => servers.dispose());

  lineFeedContract("NATS", async (linesMax) => {
    const cluster = `c${++clusters}`;
    const open = () => openNats({ url: servers.url, cluster, name: "test", allowOldEngine: true });
    const [a, b] = [await open(), await open()];
    const bytesMax = linesMax * lineBytes;
    return {
      feeds: [await openNatsLines(a, bytesMax), await openNatsLines(b, bytesMax)],
      dispose: async () => {
        await Promise.all([a.close(), b.close()]);
      },
    };
  });
});
