/**
 * Watches the disk of the root. When it fills the master becomes read-only, with an alarm; when there is room, it goes on by
 * itself: it takes over its journal again, should that have failed, and has the node say what it has.
 *
 * A master of a cluster takes no jobs meanwhile, as their packs would lie there. Tasks go on: they write on other disks.
 */
import type { Alarm } from "../client/master-api.ts";
import type { Coordinator } from "./coordinator.ts";
import type { DiskRoom } from "./disk-room.ts";
import type { Log } from "./log.ts";

export interface RoomWatchParts {
  readonly room: DiskRoom;
  readonly coordinator: Coordinator;
  /** Has the node join again. A node that cannot is asked again at the next look. Absent: in a cluster, where tasks go on. */
  readonly rejoin?: () => Promise<void>;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds between two looks. */
  readonly lookEveryMs?: number;
}

const usualLookMs = 2_000;

export class RoomWatch {
  readonly #parts: RoomWatchParts;
  readonly #timer: NodeJS.Timeout;
  /** The alarm as long as it is read-only. */
  #alarm: Alarm | null = null;
  /** The journal was not there for the node to join. */
  #mustJoin: boolean;
  #joining = false;

  constructor(parts: RoomWatchParts) {
    this.#parts = parts;
    this.#mustJoin = parts.coordinator.behind;
    this.#timer = setInterval(() => this.look(), parts.lookEveryMs ?? usualLookMs);
    this.#timer.unref();
    this.look();
  }

  alarms(): readonly Alarm[] {
    // It may have become read-only since the last look.
    if (this.#parts.coordinator.readOnly) this.#raise();
    return this.#alarm === null ? [] : [this.#alarm];
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    const { room, coordinator } = this.#parts;
    room.look();
    if (coordinator.behind) {
      this.#mustJoin = true;
      if (!room.low) coordinator.resume();
    }
    if (coordinator.readOnly) this.#raise();
    else this.#clear();
    void this.#join();
  }

  #raise(): void {
    if (this.#alarm !== null) return;
    const { room, coordinator, log, now } = this.#parts;
    this.#alarm = room.low ? room.alarm(now()) : (coordinator.journalAlarm ?? room.alarm(now()));
    const { message, hint } = this.#alarm;
    log.error({ alarm: this.#alarm.code, hint }, message);
    if (this.#parts.rejoin === undefined) return;
    coordinator.tellJobs("warning", `WARNING: ${message}. No task starts until there is room.`);
  }

  #clear(): void {
    if (this.#alarm === null) return;
    const { coordinator, log, now } = this.#parts;
    const seconds = Math.round((now() - this.#alarm.since) / 1000);
    this.#alarm = null;
    log.info({ seconds }, "there is room again: the master goes on");
    if (this.#parts.rejoin === undefined) return;
    coordinator.tellJobs("info", "There is room on the disk again: tasks go on.");
    coordinator.nudge();
  }

  async #join(): Promise<void> {
    const { rejoin, coordinator } = this.#parts;
    if (rejoin === undefined || !this.#mustJoin || this.#joining || coordinator.behind) return;
    this.#joining = true;
    try {
      await rejoin();
      this.#mustJoin = false;
    } catch (error) {
      this.#parts.log.warn({ reason: String(error) }, "the node could not join; it is asked again");
    } finally {
      this.#joining = false;
    }
  }
}
