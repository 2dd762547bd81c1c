/**
 * What a master that leads does for the nodes of a cluster: says that it leads, lets nodes in, hears them, gives up those that are
 * silent. It begins when the master leads and ends when it does not any more.
 *
 *   leader's notice ─▶ join ─▶ admission ─▶ journal ─▶ welcome;   heartbeats, silence ─▶ suspicion, loss ─▶ journal
 */
import type { Bus } from "../bus/bus.ts";
import type { DiskSpace } from "../core/scheduler/disk-reserve.ts";
import type { Heartbeat, LeaderNotice, NodeHello } from "../protocol/messages.ts";
import type { Coordinator } from "./coordinator.ts";
import type { JobFiles } from "./job-files.ts";
import { announceLeader } from "./leader-notices.ts";
import { Liveness, saidGoodbye } from "./liveness.ts";
import type { Log } from "./log.ts";
import { NodeFiles } from "./node-files.ts";
import type { NodeLink } from "./node-link.ts";
import { serveNodes } from "./node-subjects.ts";

export interface NodeDeskParts {
  readonly bus: Bus;
  /** Unique for each start of the master. */
  readonly instance: string;
  /** Base URL of the master's server, as other machines reach it. */
  readonly url: () => string;
  readonly coordinator: Coordinator;
  readonly files: JobFiles;
  readonly nodes: NodeLink;
  readonly log: Log;
  /** Throws when a new node is not where it says. Default: it is believed. */
  readonly reach?: (hello: NodeHello) => Promise<void>;
  readonly suspicionMs?: number | undefined;
  readonly deathMs?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface NodeDesk {
  readonly liveness: Liveness;
  /** Has nodes hold the packs of jobs that are about to be accepted. */
  readonly nodeFiles: NodeFiles;
  /** Nodes hear nothing of this master any more. */
  close(): void;
}

/** The coordinator leads. */
export function openNodeDesk(parts: NodeDeskParts): NodeDesk {
  const { bus, instance, url, coordinator, files, nodes, log, suspicionMs, deathMs, now } = parts;
  const cluster = () => coordinator.machine.cluster;
  const liveness = new Liveness({
    bus,
    node: (host) => cluster().node(host),
    connected: () => [...cluster().nodes.values()].flatMap(({ host, connected }) => (connected ? [host] : [])),
    suspect: (host, suspected) => {
      cluster().suspect(host, suspected);
      if (suspected) log.warn({ node: host }, "the node is silent: it gets no tasks for now");
      else coordinator.nudge();
    },
    lose: (host, reason) => {
      if (reason === saidGoodbye) log.info({ node: host }, "the node has stopped: its tasks go to others");
      else log.warn({ node: host, reason }, "the node is lost: its tasks go to others");
      try {
        coordinator.record([{ kind: "node-lost", at: now(), host, reason }]);
      } catch {
        // It does not lead any more, or cannot decide at present: whoever does next finds the node silent as well.
      }
    },
    rejoin: (host) => nodes.rejoin(host),
    heard: (heartbeat) => {
      const { host } = heartbeat;
      const space = spaceOf(heartbeat);
      if (!cluster().noteDisk(host, space)) return;
      if (space.freeBytes < space.reserveBytes) {
        log.warn({ node: host, ...space }, "the node's disk is full: it gets no tasks until there is room");
      } else {
        log.info({ node: host, ...space }, "there is room on the node's disk again");
        coordinator.nudge();
      }
    },
    ...(suspicionMs === undefined ? {} : { suspicionMs }),
    ...(deathMs === undefined ? {} : { deathMs }),
  });
  const nodeFiles = new NodeFiles({
    bus,
    files,
    url,
    epoch: () => cluster().epoch,
    dataServers: () => liveness.dataServers(),
    holders: (job) => coordinator.machine.packHolders(job),
    sha256: (job) => coordinator.machine.packSha256(job),
  });
  const unserve = serveNodes(bus, {
    instance,
    coordinator,
    files,
    nodeFiles,
    admission: {
      reach: async (hello) => {
        if (cluster().node(hello.host)?.connected !== true) await parts.reach?.(hello);
      },
      admit: (hello) => liveness.admit(hello),
      joined: (hello) => {
        liveness.joined(hello);
        log.info({ node: hello.host, slots: hello.slots, url: hello.url }, "node joined");
      },
      left: (host, session) => liveness.left(host, session),
      dataServers: () => liveness.dataServers(),
    },
  });
  const notice = (): LeaderNotice => {
    const { epoch } = cluster();
    // Nobody reads the journal by this: it says how far a master is that follows.
    return { epoch, instance, url: url(), seq: coordinator.seq, nodesVersion: liveness.nodesVersion };
  };
  const notices = announceLeader(bus, notice);
  return {
    liveness,
    nodeFiles,
    close: () => {
      notices.stop();
      unserve();
      liveness.close();
    },
  };
}

/** A disk of which nothing is known is neither free nor used. */
function spaceOf({ diskFreeBytes, diskUsedBytes, diskReserveBytes = 0 }: Heartbeat): DiskSpace {
  const isKnown = diskFreeBytes > 0 || diskUsedBytes > 0;
  return { freeBytes: isKnown ? diskFreeBytes : Number.POSITIVE_INFINITY, reserveBytes: diskReserveBytes };
}
