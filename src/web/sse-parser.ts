/** Server-sent events out of a stream of text, wherever it was cut. (`EventSource` can send no token.) */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  /** Where to go on behind it; `null`: unchanged. */
  readonly id: string | null;
}

export class SseParser {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string | null = null;

  /** The events that are complete with this text. */
  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line !== "") {
        this.#take(line);
        continue;
      }
      if (this.#data.length > 0) {
        events.push({ event: this.#event || "message", data: this.#data.join("\n"), id: this.#id });
      }
      this.#event = "";
      this.#data = [];
      this.#id = null;
    }
    return events;
  }

  #take(line: string): void {
    const colon = line.indexOf(":");
    // A comment, which is a heartbeat.
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id") this.#id = value;
  }
}
