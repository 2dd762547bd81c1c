import assert from "node:assert/strict";
import { test } from "node:test";
import { CommError, DiscoError } from "../errors.ts";
import { firstReading } from "./first-reading.ts";

const away = new CommError("the engine does not answer", { code: "engine-unreachable" });

test("an engine that does not answer yet is asked again, and that is told once", async () => {
  const told: CommError[] = [];
  let asked = 0;
  const read = async (): Promise<string> => {
    asked++;
    if (asked < 3) throw away;
    return "journal";
  };
  assert.equal(await firstReading(read, { waits: (error) => told.push(error) }), "journal");
  assert.deepEqual([asked, told], [3, [away]]);
});

test("an engine that is away for longer than the patience is an error", async () => {
  const read = () => Promise.reject(away);
  await assert.rejects(firstReading(read, { waits: () => undefined, patienceMs: 0 }), away);
});

test("a journal that is damaged is not read again", async () => {
  let asked = 0;
  const damaged = new DiscoError("record 3 is missing", { code: "journal-gap" });
  const read = async (): Promise<never> => {
    asked++;
    throw damaged;
  };
  await assert.rejects(firstReading(read, { waits: () => assert.fail() }), damaged);
  assert.equal(asked, 1);
});
