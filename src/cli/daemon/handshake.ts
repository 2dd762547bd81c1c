/** What a daemon that is being started in the background tells the command that starts it, over the channel between them. */
import { DiscoError } from "../../errors.ts";

export type Handshake =
  | { readonly kind: "ready"; readonly url: string; readonly instance: string }
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly hint: string | null };

/** Says it, and closes the channel: from now on the two processes have nothing to do with each other. */
export function tellStarter(message: Handshake): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // Started by hand or by a supervisor; or the starter has gone.
  if (process.send === undefined || !process.connected) return Promise.resolve();
  process.send(message, () => {
    if (process.connected) process.disconnect();
    resolve();
  });
  return promise;
}

export function failedHandshake(error: unknown): Handshake {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof DiscoError) return { kind: "failed", code: error.code, message, hint: error.hint ?? null };
  return { kind: "failed", code: (error as NodeJS.ErrnoException | null)?.code ?? "error", message, hint: null };
}

export function errorOf({ code, message, hint }: Handshake & { readonly kind: "failed" }): DiscoError {
  return new DiscoError(message, { code, ...(hint === null ? {} : { hint }) });
}
