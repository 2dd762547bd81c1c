/** Says who leads: twice a second, so that a node that has just started, or was cut off, need not wait long. */
import type { Bus } from "../bus/bus.ts";
import { toJsonBytes } from "../bus/json.ts";
import type { LeaderNotice } from "../protocol/messages.ts";

const noticeMs = 500;

/** Begins at once; `notice` is asked each time. Returns what has it said at once, and what ends it. */
export function announceLeader(bus: Bus, notice: () => LeaderNotice): { tell: () => void; stop: () => void } {
  const tell = (): void => bus.publish("leader", toJsonBytes(notice()));
  const timer = setInterval(tell, noticeMs);
  timer.unref();
  tell();
  return { tell, stop: () => clearInterval(timer) };
}
