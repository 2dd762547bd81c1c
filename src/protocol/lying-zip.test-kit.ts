/** Zip archives that lie about what is in them. */
import { crc32, deflateRawSync } from "node:zlib";

/** What the archive's directory says of a member instead of the truth. */
export interface Lies {
  readonly mode?: number;
  readonly size?: number;
  readonly crc?: number;
  readonly method?: number;
  readonly flags?: number;
}

export type Member = readonly [name: string, contents: Uint8Array, lies?: Lies];

/** An archive that may lie. */
export function zipOf(members: readonly Member[], shared = false): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const [name, contents, lies = {}] of members) {
    const data = deflateRawSync(contents);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(lies.flags ?? 0, 2);
    fields.writeUInt16LE(lies.method ?? 8, 4);
    fields.writeUInt32LE(lies.crc ?? crc32(contents), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(lies.size ?? contents.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((lies.mode ?? 0o100644) * 65536, 6);
    rest.writeUInt32LE(shared ? 0 : at, 10);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), fields, Buffer.from(name), data]);
    if (!shared || at === 0) locals.push(local);
    if (!shared || at === 0) at += local.length;
    centrals.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x03", "latin1"), fields, rest, Buffer.from(name)]));
  }
  const directoryBytes = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directoryBytes.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directoryBytes, end]);
}
