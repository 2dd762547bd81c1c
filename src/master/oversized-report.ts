/**
 * A report whose event does not fit into a record of the journal. Refused, it would be sent again for ever, and the batch with it;
 * so the attempt fails instead, and says why. Trying again would come to the same, so the job ends with it.
 */
import type { MasterEvent, TaskFailed } from "../core/events.ts";
import { DiscoError } from "../errors.ts";

/** Records all events of a batch of reports. @throws what `record` throws, other than `record-too-big` of a report */
export function recordReports(record: (events: readonly MasterEvent[]) => void, events: readonly MasterEvent[]): void {
  try {
    record(events);
    return;
  } catch (error) {
    if (!isTooBig(error)) throw error;
  }
  // Some of them are recorded already. Attempts are fenced: an end that is recorded twice changes nothing.
  for (const event of events) {
    try {
      record([event]);
    } catch (error) {
      if (!isTooBig(error) || !("attempt" in event && "task" in event)) throw error;
      record([failedFor(event, error)]);
    }
  }
}

function isTooBig(error: unknown): error is DiscoError {
  return error instanceof DiscoError && error.code === "record-too-big";
}

function failedFor(
  event: MasterEvent & Pick<TaskFailed, "job" | "stage" | "task" | "attempt">,
  { message }: DiscoError,
): TaskFailed {
  const { at, job, stage, task, attempt } = event;
  const failure = {
    code: "report-too-big",
    name: "DataError",
    message: `what the task reports is too large: ${message}`,
    retry: "never",
    hint: "Give the task fewer labels and out-of-band values, or split its input; a report lists each of its outputs.",
  } as const;
  return { kind: "task-failed", at, job, stage, task, attempt, failure };
}
