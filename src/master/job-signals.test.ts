import { test } from "node:test";
import { JobSignals } from "./job-signals.ts";

test("who waits for several jobs hears of the first that ends", async () => {
  const signals = new JobSignals();
  const waiting = signals.oneEnds(["a", "b"], 60_000);
  signals.changed("a");
  signals.ended("b");
  await waiting;
});

test("who waits too long is let go", async () => {
  await new JobSignals().oneEnds(["a"], 1);
});

test("an aborted wait ends, also one that was aborted before", async () => {
  const signals = new JobSignals();
  const stop = new AbortController();
  const waiting = signals.nextChange("a", stop.signal);
  stop.abort();
  await waiting;
  await signals.nextChange("a", stop.signal);
});

test("the end of a job is a change as well", async () => {
  const signals = new JobSignals();
  const waiting = signals.nextChange("a");
  signals.ended("a");
  await waiting;
});
