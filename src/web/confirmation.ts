/** Asks before what cannot be taken back. */
import { button, element } from "./dom.ts";

export interface Question {
  readonly title: string;
  readonly text: string;
  /** What the button says that does it. */
  readonly action: string;
}

/** Whether the reader wants it. Escape means no. */
export function confirmed({ title, text, action }: Question): Promise<boolean> {
  const opener = document.activeElement;
  return new Promise((resolve) => {
    let answer = false;
    const no = button("Cancel", () => dialog.close());
    const yes = button(
      action,
      () => {
        answer = true;
        dialog.close();
      },
      { class: "danger" },
    );
    const dialog = element(
      "dialog",
      { "aria-label": title },
      element("h2", {}, title),
      element("p", {}, text),
      element("p", { class: "bar" }, no, yes),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (opener instanceof HTMLElement) opener.focus();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  });
}
