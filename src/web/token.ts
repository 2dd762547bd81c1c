/**
 * The token, where the daemon asks for one: typed by a person, kept for this tab only (`sessionStorage`), sent in a header. It is in
 * no address, and there is no cookie that another page could make the browser send.
 */
import { element } from "./dom.ts";

const key = "disco-token";
let asking: Promise<void> | null = null;

export function token(): string | null {
  return sessionStorage.getItem(key);
}

/** Asks for a token, once for all who need it; `refused` is the one that was not taken. Resolves when there is another one. */
export function askToken(refused: string | null, reason: string): Promise<void> {
  if (token() !== refused) return Promise.resolve();
  asking ??= ask(reason).finally(() => (asking = null));
  return asking;
}

function ask(reason: string): Promise<void> {
  sessionStorage.removeItem(key);
  const input = element("input", { type: "password", autocomplete: "off", "aria-label": "Token" });
  input.required = true;
  const form = element(
    "form",
    {},
    element("label", {}, "Token ", input),
    element("p", { class: "bar" }, element("button", { type: "submit" }, "Go on")),
  );
  const title = element("h2", {}, "This daemon asks for a token");
  const text = element("p", { class: "dim" }, `${reason}. It is kept for this tab only.`);
  const dialog = element("dialog", { "aria-label": "Token" }, title, text, form);
  document.body.append(dialog);
  // Nothing can be shown without one.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(key, input.value.trim());
      dialog.remove();
      resolve();
    });
  });
}
