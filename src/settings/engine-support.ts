/** Engines that settings can name and that masters and nodes cannot talk over yet. */
import { DiscoError } from "../errors.ts";
import type { Engine } from "./cluster-addresses.ts";

/** @throws DiscoError `engine-not-supported` */
export function assertSupported(engine: Engine | null): void {
  if (engine?.kind !== "nats") return;
  throw new DiscoError("this version's masters and nodes do not talk over NATS yet", {
    code: "engine-not-supported",
    hint: "Give masters --journal postgres://… without an engine, and nodes --engine http://MASTER:8989,….",
  });
}
