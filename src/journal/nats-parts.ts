/**
 * The side stream of a journal in NATS: parts of records that are too large for a message, and snapshots.
 *
 * A form tells what a message holds: nothing (the bytes), `zstd` (compressed), `parts` (JSON that names the messages that hold the
 * compressed bytes). Parts are written, and acknowledged, before the message that names them. A snapshot is of this form as well;
 * its manifest is published if nothing else was written since the newest one was looked at, so that an older snapshot of a
 * deposed master does not replace a newer one.
 */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { DiscoError } from "../errors.ts";
import type { NatsEngine } from "../nats/connection.ts";
import { isConflict } from "../nats/failures.ts";
import type { NatsStream, StoredMessage } from "../nats/stream.ts";
import type { Head, StoredSnapshot } from "./journal.ts";
import { corrupt, hashOf } from "./record.ts";

/** Bytes of one part: several servers pass them on to each other one by one. */
const partBytesMax = 512 * 1024;
const saveTries = 20;
/** What a decompressed record or snapshot may have, against bytes that were made up. */
const bodyBytesMax = 2 ** 30;

interface Parts {
  readonly seqs: readonly number[];
  readonly hash: string;
}

interface Manifest extends Parts, Head {
  /** First message of this snapshot: what is older goes with the one before. */
  readonly first: number;
  readonly form: string;
}

export class SideParts {
  readonly #prefix: string;
  readonly #stream: NatsStream;

  constructor(engine: NatsEngine, stream: NatsStream) {
    this.#prefix = `${engine.prefix}parts.`;
    this.#stream = stream;
  }

  /** The bytes as one message, whose parts are stored when this resolves. */
  async packed(place: string, body: Uint8Array, bytesMax: number): Promise<{ data: Uint8Array; form: string }> {
    if (body.length <= bytesMax) return { data: body, form: "" };
    const data = zstdCompressSync(body);
    if (data.length <= bytesMax) return { data, form: "zstd" };
    const parts: Parts = { seqs: await this.#write(place, data), hash: hashOf(data) };
    return { data: Buffer.from(JSON.stringify(parts)), form: "parts" };
  }

  async unpacked({ seq, data, form }: StoredMessage): Promise<Uint8Array> {
    if (form === "") return data;
    const packed = form === "zstd" ? data : form === "parts" ? await this.#parts(seq, data) : null;
    if (packed === null) {
      throw new DiscoError(`record ${seq} of the journal is in a form that this software does not know: ${form}`, {
        code: "newer-version",
        hint: "Use the newer release of disco-mapreduce that wrote it.",
      });
    }
    try {
      return zstdDecompressSync(packed, { maxOutputLength: bodyBytesMax });
    } catch (cause) {
      throw corrupt(seq, "it cannot be decompressed", cause);
    }
  }

  async snapshotHead(): Promise<Head | null> {
    const manifest = await this.#manifest();
    return manifest === null ? null : { seq: manifest.seq, hash: manifest.hash };
  }

  async snapshot(): Promise<StoredSnapshot | null> {
    for (let found = await this.#manifest(); found !== null; ) {
      const { seq, hash, seqs } = found;
      const parts = await Promise.all(seqs.map((part) => this.#stream.get(part)));
      if (parts.every((part) => part !== null)) {
        const body = zstdDecompressSync(Buffer.concat(parts.map(({ data }) => data)), {
          maxOutputLength: bodyBytesMax,
        });
        return { seq, hash, body };
      }
      // Two newer ones may have come meanwhile.
      const newest = await this.#manifest();
      if (newest === null || newest.first === found.first) {
        throw new DiscoError(`parts of the snapshot at record ${seq} of the journal are missing`, {
          code: "journal-corrupt",
          hint: "Restore the journal from a copy.",
        });
      }
      found = newest;
    }
    return null;
  }

  /** Nothing, if a newer one is there. */
  async saveSnapshot(at: Head, body: Uint8Array): Promise<void> {
    const data = zstdCompressSync(body);
    for (let tries = 1; ; tries++) {
      // oxlint-disable-next-line no-await-in-loop -- One try after the other.
      if (await this.#trySave(at, data)) return;
      if (tries === saveTries) {
        throw new DiscoError(`the snapshot at record ${at.seq} was not saved: others write at the same time`, {
          code: "bad-snapshot",
        });
      }
    }
  }

  /** Parts of records below this one. */
  async forgetRecords(below: number): Promise<void> {
    const { state } = await this.#stream.info(`${this.#prefix}record.*`);
    for (const subject of Object.keys(state.subjects ?? {})) {
      // oxlint-disable-next-line no-await-in-loop -- There are few.
      if (Number(subject.slice(subject.lastIndexOf(".") + 1)) < below) await this.#stream.purgeSubject(subject);
    }
  }

  async #trySave(at: Head, data: Uint8Array): Promise<boolean> {
    const seqs = await this.#write("snapshot", data);
    const { state } = await this.#stream.info();
    const before = await this.#stream.last(`${this.#prefix}manifest`);
    const newest = before === null ? null : (JSON.parse(Buffer.from(before.data).toString()) as Manifest);
    if (newest !== null && newest.seq > at.seq) return true;
    const manifest: Manifest = { ...at, seqs, first: seqs[0] ?? 0, form: "zstd" };
    try {
      const bytes = Buffer.from(JSON.stringify(manifest));
      await this.#stream.publish(`${this.#prefix}manifest`, bytes, { expect: state.last_seq });
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
    // By subject and not by sequence: parts of records lie between.
    if (newest !== null && newest.first > 1) await this.#forgetSnapshots(newest.first);
    return true;
  }

  /** Parts and manifests of snapshots below this message. */
  async #forgetSnapshots(below: number): Promise<void> {
    await this.#stream.purgeSubjectBelow(`${this.#prefix}snapshot`, below);
    await this.#stream.purgeSubjectBelow(`${this.#prefix}manifest`, below);
  }

  async #manifest(): Promise<Manifest | null> {
    const message = await this.#stream.last(`${this.#prefix}manifest`);
    return message === null ? null : (JSON.parse(Buffer.from(message.data).toString()) as Manifest);
  }

  async #write(place: string, data: Uint8Array): Promise<number[]> {
    const size = Math.min(partBytesMax, this.#stream.payloadBytesMax);
    const seqs: number[] = [];
    for (let at = 0; at < data.length; at += size) {
      // oxlint-disable-next-line no-await-in-loop -- In order, and without more than a part on its way.
      seqs.push(await this.#stream.publish(this.#prefix + place, data.subarray(at, at + size)));
    }
    return seqs;
  }

  async #parts(seq: number, named: Uint8Array): Promise<Uint8Array> {
    const { seqs, hash } = JSON.parse(Buffer.from(named).toString()) as Parts;
    const parts = await Promise.all(seqs.map((part) => this.#stream.get(part)));
    const data = Buffer.concat(parts.map((part) => part?.data ?? new Uint8Array(0)));
    if (hashOf(data) !== hash) throw corrupt(seq, "parts of it are missing or changed");
    return data;
  }
}
