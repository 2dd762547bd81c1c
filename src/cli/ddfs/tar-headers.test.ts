/** Archives as programs write them are in `test/cli/ddfs-blobs.test.ts`; here are those that are damaged, or rare. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { blockBytes, listMembers, type TarMember } from "./tar-headers.ts";

interface Entry {
  readonly name: string;
  readonly kind?: string;
  readonly contents?: string;
  readonly prefix?: string;
  readonly binarySize?: boolean;
}

function archiveOf(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(partsOf), Buffer.alloc(2 * blockBytes)]);
}

function partsOf({ name, kind = "0", contents = "", prefix = "", binarySize = false }: Entry): Buffer[] {
  const body = Buffer.from(contents);
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0);
  if (binarySize) {
    header[124] = 0x80;
    header.writeUInt32BE(body.length, 132);
  } else header.write(body.length.toString(8).padStart(11, "0"), 124);
  header.write("        ", 148);
  header.write(kind, 156);
  header.write("ustar\0", 257);
  header.write(prefix, 345);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, body, Buffer.alloc((blockBytes - (body.length % blockBytes)) % blockBytes)];
}

function members(archive: Buffer): Promise<TarMember[]> {
  const read = async (offset: number, length: number): Promise<Buffer> => archive.subarray(offset, offset + length);
  return listMembers(read, archive.length, "a.tar");
}

function paxOf(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = 0;
  for (let more = 1; more !== 0; length += more) more = Buffer.byteLength(`${length}${rest}`) - length;
  return `${length}${rest}`;
}

test("files are found with their whole names, and nothing else is", async () => {
  const archive = archiveOf([
    { name: "folder/", kind: "5" },
    { name: "a", contents: "first" },
    { name: "end", prefix: "some/way", contents: "x".repeat(600) },
    { name: "././@LongLink", kind: "L", contents: `${"gnu/".repeat(60)}name\0` },
    { name: "cut", contents: "gnu" },
    { name: "PaxHeader", kind: "x", contents: paxOf("mtime", "1.5") + paxOf("path", `${"pax/".repeat(60)}ö`) },
    { name: "cut", contents: "pax" },
    { name: "global", kind: "g", contents: paxOf("comment", "c") },
    { name: "link", kind: "2" },
    { name: "big", binarySize: true, contents: "binary size" },
    { name: "old", kind: "\0" },
  ]);
  const found = await members(archive);
  const read = found.map(({ path, offset, size }) => [path, archive.subarray(offset, offset + size).toString()]);
  assert.deepEqual(read, [
    ["a", "first"],
    ["some/way/end", "x".repeat(600)],
    [`${"gnu/".repeat(60)}name`, "gnu"],
    [`${"pax/".repeat(60)}ö`, "pax"],
    ["big", "binary size"],
    ["old", ""],
  ]);
});

test("an archive without its end has what it has; one that is cut within a file or a header is refused", async () => {
  const archive = archiveOf([{ name: "a", contents: "x".repeat(600) }]);
  assert.equal((await members(archive.subarray(0, 3 * blockBytes))).length, 1);
  for (const length of [0, 100, blockBytes - 1, blockBytes + 599])
    await assert.rejects(members(archive.subarray(0, length)), { code: "bad-archive" }, String(length));
  await assert.rejects(members(archiveOf([{ name: "s", kind: "S" }])), { code: "bad-archive", message: /sparse/ });
  const sized = (size: string) => archiveOf([{ name: "p", kind: "x", contents: paxOf("size", size) }, { name: "a" }]);
  for (const size of ["-512", "1e3", "x", "1e300"])
    await assert.rejects(members(sized(size)), { code: "bad-archive" }, size);
});

test("a byte of a header that is wrong is noticed", async () => {
  const archive = archiveOf([{ name: "a", contents: "text" }]);
  await fc.assert(
    fc.asyncProperty(fc.nat(blockBytes - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const damaged = Buffer.from(archive);
      damaged.writeUInt8(archive.readUInt8(at) ^ flip, at);
      const outcome = await members(damaged).then(
        (found) => found.map(({ path, size }) => `${path} ${size}`).join(),
        (error: { code: string }) => error.code,
      );
      // The blanks and zeros around the sum's own digits say nothing.
      assert.ok(outcome === "bad-archive" || (outcome === "a 4" && at >= 148 && at < 156), `${at}: ${outcome}`);
    }),
  );
});
