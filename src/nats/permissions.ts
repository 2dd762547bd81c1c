/**
 * What servers of NATS have to allow a node, so that it can speak for no other: its name is a part of all that it may publish or
 * hear. It has no part in JetStream: the journal is the masters'.
 */

export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** It answers what it is asked, and nothing else of others' inboxes. */
  readonly allowResponses: { readonly max: number; readonly expires: string };
}

/** Parts of one reply of 64 MiB, also where a message has 64 KiB. */
const repliesMax = 1_024;

/** `node`: the node's name as one part of a subject (`part(host)`), which is also the name that it connects with. */
export function nodePermissions(cluster: string, node: string): NatsPermissions {
  const prefix = `dj.${cluster}.`;
  return {
    publish: [`${prefix}master.*.*.${node}`, `${prefix}heartbeat.${node}`],
    subscribe: [`${prefix}node.${node}.>`, `${prefix}leader`, `${prefix}inbox.${node}.>`],
    allowResponses: { max: repliesMax, expires: "5m" },
  };
}

/** Masters: all of the cluster's subjects, and JetStream. */
export function masterPermissions(cluster: string): Omit<NatsPermissions, "allowResponses"> {
  return {
    publish: [`dj.${cluster}.>`, "$JS.API.STREAM.>"],
    subscribe: [`dj.${cluster}.>`],
  };
}

/** As a `permissions` block of a server's configuration. */
export function permissionsBlock({ publish, subscribe, allowResponses }: NatsPermissions): string {
  const list = (subjects: readonly string[]): string => `[${subjects.map((subject) => `"${subject}"`).join(", ")}]`;
  const { max, expires } = allowResponses;
  return `{ publish: ${list(publish)}, subscribe: ${list(subscribe)}, allow_responses: { max: ${max}, expires: "${expires}" } }`;
}
