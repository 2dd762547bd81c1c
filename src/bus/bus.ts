/**
 * The bus: how master and nodes talk. Small messages of bytes, addressed by subject (`master.report`,
 * `node.localhost.assign`); bulk data never goes through it.
 *
 * What a caller may rely on, and no more:
 * B1. At most once. A message may be lost; it is never delivered twice by the bus. Who needs "at least once" asks again
 *     (`request` fails, the sender repeats) and makes its messages idempotent.
 * B2. Unordered. Two messages may overtake each other.
 * B3. A handler runs in a later turn than the call that caused it: neither `publish` nor `request` re-enters its caller.
 * B4. Bytes belong to the receiver once sent: the sender does not write to them again.
 * B5. A request ends: by the reply, by `no-responder`, by the handler's error, by its time-out, or by `bus-broken` when the way
 *     breaks under it: whether it arrived is not known then.
 */
export interface Bus {
  /** `false`: the way to all others is broken, as far as is known here; nobody is heard, and silence is no sign of death. */
  readonly connected: boolean;
  /**
   * Sends and waits for the reply of the subject's server.
   * @throws CommError code `no-responder` (nobody serves the subject), `bus-timeout`, `bus-broken`, `bus-closed`, or `remote-error`
   *   (the handler failed; the message is the handler's).
   */
  request(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** Sends and forgets. Nobody there: nothing happens. */
  publish(subject: string, bytes: Uint8Array): void;
  /**
   * Answers requests and takes messages of a subject until the returned function is called. One server a subject: a
   * second one on the same bus is refused with `DiscoError` code `subject-taken`. The last part of a subject may be `*`: any one
   * part; a handler is told which subject it was. A server by its full name goes before one with `*`.
   */
  serve(subject: string, handler: BusHandler): () => void;
  /** Hears what is published under a subject (or under `*`, as in `serve`), as any number of others may, until the function is called. */
  subscribe(subject: string, listener: BusListener): () => void;
  /** Ends all pending requests with `bus-closed` and forgets all servers. */
  close(): Promise<void>;
}

/** What it returns is the reply; nothing is an empty reply. */
export type BusHandler = (
  bytes: Uint8Array,
  subject: string,
) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** What it throws is its own affair. */
export type BusListener = (bytes: Uint8Array, subject: string) => void;

/** A message above this is a mistake: bulk data has its own way. Job packs are the largest (1 GiB is Disco's limit). */
export const busMessageBytesMax = 1024 * 1024 * 1024;
