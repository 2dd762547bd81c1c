/** What became of something that the reader did. */
import { ApiError } from "./api.ts";
import { button, byId, element } from "./dom.ts";

export function tell(text: string, { bad = false }: { readonly bad?: boolean } = {}): void {
  const note = element("p", { class: bad ? "note bad" : "note" }, element("span", {}, text));
  note.append(button("Dismiss", () => note.remove()));
  byId("notice", HTMLDivElement).replaceChildren(note);
}

/** Does it and tells why it failed, if it did. */
export async function attempt(what: string, action: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    const reason =
      error instanceof ApiError ? [error.message, error.hint].filter(Boolean).join(". ") : "the master does not answer";
    tell(`${what}: ${reason}`, { bad: true });
    return false;
  }
}
