/** What every bus must do. An implementation's test is a call of this with a factory. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CommError, DiscoError } from "../errors.ts";
import type { Bus } from "./bus.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const bytes = (value: string): Uint8Array => Buffer.from(value, "utf8");
const patienceMs = 2_000;

export function busContract(name: string, open: () => Promise<Bus>): void {
  describe(`the bus contract: ${name}`, () => {
    test("a request gets the reply of the subject's server", async () => {
      const bus = await open();
      bus.serve("echo", (message) => bytes(`you said ${text(message)}`));
      assert.equal(text(await bus.request("echo", bytes("hello"), patienceMs)), "you said hello");
      await bus.close();
    });

    test("a server that returns nothing replies with no bytes", async () => {
      const bus = await open();
      bus.serve("sink", () => undefined);
      assert.equal((await bus.request("sink", bytes("x"), patienceMs)).byteLength, 0);
      await bus.close();
    });

    test("a request that nobody serves fails at once with no-responder", async () => {
      const bus = await open();
      await assert.rejects(bus.request("nowhere", bytes("x"), patienceMs), isComm("no-responder"));
      await bus.close();
    });

    test("a reply that does not come ends in bus-timeout", async () => {
      const bus = await open();
      bus.serve("slow", () => new Promise(() => undefined));
      const held = setTimeout(() => undefined, patienceMs);
      await assert.rejects(bus.request("slow", bytes("x"), 20), isComm("bus-timeout"));
      clearTimeout(held);
      await bus.close();
    });

    test("a server's error reaches the caller, with its code and what to do about it", async () => {
      const bus = await open();
      bus.serve("coded", () => {
        throw new DiscoError("no such job", { code: "unknown-job", retry: "here", hint: "Submit it." });
      });
      bus.serve("plain", () => Promise.reject(new TypeError("x is not a function")));
      await assert.rejects(bus.request("coded", bytes(""), patienceMs), {
        message: "no such job",
        code: "unknown-job",
        retry: "here",
        hint: "Submit it.",
      });
      await assert.rejects(bus.request("plain", bytes(""), patienceMs), { code: "remote-error" });
      await bus.close();
    });

    test("neither publish nor request runs a handler inside the caller's turn", async () => {
      const bus = await open();
      const seen: string[] = [];
      bus.serve("topic", (message) => {
        seen.push(text(message));
        return undefined;
      });
      bus.publish("topic", bytes("published"));
      const reply = bus.request("topic", bytes("requested"), patienceMs);
      assert.equal(seen.length, 0);
      await reply;
      assert.ok(seen.some((message) => message === "requested"));
      await bus.close();
    });

    test("publishing where nobody listens, or where the listener throws, is no error", async () => {
      const bus = await open();
      bus.serve("bad", () => {
        throw new Error("listener's own affair");
      });
      bus.publish("bad", bytes("x"));
      bus.publish("nowhere", bytes("x"));
      bus.serve("later", () => undefined);
      await bus.request("later", bytes(""), patienceMs);
      await bus.close();
    });

    test("a subject has one server, and is free again when that one stops", async () => {
      const bus = await open();
      const stop = bus.serve("one", () => bytes("first"));
      assert.throws(() => bus.serve("one", () => undefined), { code: "subject-taken" });
      stop();
      bus.serve("one", () => bytes("second"));
      assert.equal(text(await bus.request("one", bytes(""), patienceMs)), "second");
      await bus.close();
    });

    test("a server of any last part is told which it was, and one by the full name goes first", async () => {
      const bus = await open();
      bus.serve("report.*", (_, subject) => bytes(subject));
      bus.serve("report.b", () => bytes("by name"));
      assert.equal(text(await bus.request("report.a", bytes(""), patienceMs)), "report.a");
      assert.equal(text(await bus.request("report.b", bytes(""), patienceMs)), "by name");
      await assert.rejects(bus.request("report.a.b", bytes(""), patienceMs), isComm("no-responder"));
      await bus.close();
    });

    test("what is published is heard by all who subscribed, until they stop", async () => {
      const bus = await open();
      const heard: string[] = [];
      const { promise: all, resolve } = Promise.withResolvers<undefined>();
      const hear = (who: string) => (message: Uint8Array, subject: string) => {
        heard.push(`${who} ${subject} ${text(message)}`);
        if (text(message) === "last" && heard.length === 4) resolve(undefined);
      };
      bus.subscribe("beat.*", hear("any"));
      bus.subscribe("beat.a", () => {
        throw new Error("listener's own affair");
      });
      const stop = bus.subscribe("beat.a", hear("stopped"));
      bus.subscribe("beat.a", hear("a"));
      bus.serve("fence", () => undefined);
      await bus.request("fence", bytes(""), patienceMs);
      stop();
      bus.publish("beat.a", bytes("first"));
      bus.publish("beat.a", bytes("last"));
      await all;
      const expected = ["any beat.a first", "a beat.a first", "any beat.a last", "a beat.a last"];
      assert.deepEqual(heard.toSorted(), expected.toSorted());
      await bus.close();
    });

    test("closing ends what is pending and refuses what comes", async () => {
      const bus = await open();
      bus.serve("slow", () => new Promise(() => undefined));
      const pending = assert.rejects(bus.request("slow", bytes(""), patienceMs), isComm("bus-closed"));
      await bus.close();
      await pending;
      await assert.rejects(bus.request("slow", bytes(""), patienceMs), isComm("bus-closed"));
      assert.throws(() => bus.serve("new", () => undefined), { code: "bus-closed" });
      bus.publish("slow", bytes(""));
    });
  });
}

function isComm(code: string): (error: unknown) => boolean {
  return (error) => error instanceof CommError && error.code === code;
}
