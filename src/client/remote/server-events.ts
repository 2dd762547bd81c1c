/** Server-sent events out of a stream of text, one after the other, as far as our server uses them. */

export interface ServerEvent {
  /** `message`, unless the server says otherwise. */
  readonly event: string;
  readonly data: string;
  /** Empty: the server gave none. */
  readonly id: string;
}

/** Whoever sends more without an end of line is not our server. */
const eventCharsMax = 64 * 1024 * 1024;

/** Takes text as it comes, and gives the events that are complete. */
export class ServerEventParser {
  #rest = "";
  #event = "";
  #id = "";
  #data: string[] = [];
  #chars = 0;

  /** @throws RangeError for an event that is too long */
  *take(text: string): Generator<ServerEvent> {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length + this.#chars > eventCharsMax) throw new RangeError("an event of a stream is too long");
    for (const line of lines) {
      if (line === "" || line === "\r") {
        if (this.#data.length > 0) {
          yield { event: this.#event === "" ? "message" : this.#event, data: this.#data.join("\n"), id: this.#id };
        }
        this.#event = "";
        this.#data = [];
        this.#chars = 0;
      } else {
        this.#field(line.endsWith("\r") ? line.slice(0, -1) : line);
      }
    }
  }

  #field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") {
      this.#data.push(value);
      this.#chars += value.length;
    } else if (name === "event") this.#event = value;
    else if (name === "id") this.#id = value;
  }
}
