/**
 * Opens a stream, and creates it where there is none.
 *
 * Old servers ignore settings that they do not know, so what the server says back is compared with what was asked for, and a
 * difference is an error that names the setting.
 *
 * Replicas: 3 where three servers are known, else 1. A stream of 1 replica is made a stream of 3 when the servers have become three.
 * Where three are known and not all of them are there, a new stream waits for them instead of being made with one: its records
 * would be lost with a single disk, and nobody would know.
 */
import { setTimeout as delay } from "node:timers/promises";
import { CommError, DiscoError } from "../errors.ts";
import type { NatsEngine } from "./connection.ts";
import { isNoReplicas, isNoStream } from "./failures.ts";
import { NatsStream, type StreamConfig, type StreamState } from "./stream.ts";

export const replicasOfCluster = 3;
const waitForServersMs = 30_000;
const askEveryMs = 250;

export interface StreamWish {
  /** Last part of its name. */
  readonly purpose: string;
  /** Below `dj.CLUSTER.` */
  readonly subjects: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly storage?: "file" | "memory";
  /** `false`: one that is not there is an error. Default: `true`. */
  readonly create?: boolean;
}

export interface OpenedStream {
  readonly stream: NatsStream;
  readonly state: StreamState;
}

/** @throws DiscoError `no-stream` (with `create: false`), `engine-feature`, `disk-full`, `engine-without-jetstream`; CommError */
export async function openStream(engine: NatsEngine, wish: StreamWish): Promise<OpenedStream> {
  const stream = new NatsStream(engine, `DJ_${engine.cluster}_${wish.purpose}`);
  const wanted: StreamConfig = {
    name: stream.name,
    subjects: wish.subjects.map((subject) => engine.prefix + subject),
    retention: "limits",
    storage: wish.storage ?? "file",
    discard: "new",
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
    deny_delete: true,
    allow_direct: false,
    ...wish.settings,
    num_replicas: engine.servers() >= replicasOfCluster ? replicasOfCluster : 1,
  };
  const state = await waited(async () => {
    const present = await presentState(stream, wish.create ?? true);
    if (present === null) return stream.create(wanted);
    // A bound on its size is the operator's to set.
    const { num_replicas: replicas } = present.config;
    return replicas < wanted.num_replicas
      ? stream.update({ ...present.config, num_replicas: wanted.num_replicas })
      : present;
  });
  compare(wanted, state.config, engine);
  return { stream, state };
}

async function presentState(stream: NatsStream, create: boolean): Promise<StreamState | null> {
  try {
    return await stream.info();
  } catch (error) {
    if (!isNoStream(error) || !create) throw error;
    return null;
  }
}

/** Tries again while servers are missing or still agree on their leader. */
async function waited(act: () => Promise<StreamState>): Promise<StreamState> {
  const untilMs = performance.now() + waitForServersMs;
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- One try after the other.
      return await act();
    } catch (error) {
      if (!isNoReplicas(error) && !(error instanceof CommError)) throw error;
      if (performance.now() >= untilMs) {
        if (error instanceof CommError) throw error;
        throw new CommError(`fewer than ${replicasOfCluster} servers of the NATS engine are there`, {
          code: "engine-not-ready",
          hint: "Start all of its servers, with JetStream; a new cluster of Disco needs them all.",
          cause: error,
        });
      }
    }
    // oxlint-disable-next-line no-await-in-loop -- As above.
    await delay(askEveryMs);
  }
}

const operators = new Set(["max_bytes", "num_replicas"]);

function compare(wanted: StreamConfig, echoed: StreamConfig, engine: NatsEngine): void {
  const differing = Object.entries(wanted)
    .filter(([name, value]) => !operators.has(name) && !isSame(value, echoed[name]))
    .map(([name, value]) => `${name} is ${JSON.stringify(echoed[name])} instead of ${JSON.stringify(value)}`);
  if (differing.length === 0) return;
  throw new DiscoError(`stream ${wanted.name} of the NATS engine is not as it has to be: ${differing.join(", ")}`, {
    code: "engine-feature",
    hint: `Use a newer nats-server (this one is ${engine.version}), or correct the stream with the nats tool.`,
  });
}

/** What is off is not told at all by some versions. */
function isSame(wanted: unknown, echoed: unknown): boolean {
  return JSON.stringify(wanted) === JSON.stringify(echoed) || (wanted === false && echoed === undefined);
}
