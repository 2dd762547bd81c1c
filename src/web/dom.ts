/**
 * Elements. Whatever comes from outside, names of jobs and nodes, messages, keys, stacks, becomes text and nothing else: there is no
 * way here from a string to markup, a style or a script.
 */
type Child = Node | string | null;
interface Attributes {
  readonly class?: string;
  readonly title?: string;
  readonly type?: string;
  readonly [name: `aria-${string}`]: string;
  readonly role?: string;
  readonly scope?: string;
  readonly min?: string;
  readonly max?: string;
  readonly value?: string;
  readonly datetime?: string;
  readonly autocomplete?: string;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A link to another page of this server. */
export function link(path: "/" | `/${"job" | "config"}.html${string}`, text: string): HTMLAnchorElement {
  const made = element("a", {}, text);
  made.href = path;
  return made;
}

export function jobLink(name: string): HTMLAnchorElement {
  return link(`/job.html?name=${encodeURIComponent(name)}`, name);
}

export function button(text: string, press: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", press);
  return made;
}

/** The element of the page with that id. */
export function byId<T extends HTMLElement>(id: string, kind: { new (): T; readonly prototype: T }): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} ${id}`);
  return found;
}

/** Leaves the text alone when it is that already, so that a selection stays. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** `active`, `running` …, with its colour. */
export function setStatus(node: HTMLElement, status: string): void {
  const name = `status status-${status}`;
  if (node.className !== name) node.className = name;
  setText(node, status);
}
