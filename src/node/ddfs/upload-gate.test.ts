import assert from "node:assert/strict";
import { it } from "node:test";
import { UploadGate } from "./upload-gate.ts";

it("lets so many in at once, the rest in their order, and sends away who would wait behind too many", async () => {
  const gate = new UploadGate({ active: 2, waiting: 2 });
  const { signal } = new AbortController();
  const leaving = new AbortController();
  const leave = [await gate.enter(signal), await gate.enter(signal)];
  const order: string[] = [];
  const enter = async (name: string, by: AbortSignal): Promise<(() => void) | null> => {
    const over = await gate.enter(by);
    order.push(over === null ? `${name} not` : name);
    return over;
  };
  const third = enter("third", leaving.signal);
  const fourth = enter("fourth", signal);
  assert.equal(await enter("fifth", signal), null);
  leaving.abort();
  assert.equal(await third, null);
  const sixth = enter("sixth", signal);
  leave[0]?.();
  leave[0]?.();
  (await fourth)?.();
  (await sixth)?.();
  leave[1]?.();
  assert.deepEqual(order, ["fifth not", "third not", "fourth", "sixth"]);
  for (let i = 0; i < 2; i++) assert.ok((await gate.enter(signal)) !== null);
});
