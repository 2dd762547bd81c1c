/**
 * A lease: a hint who leads, never a reason to believe it. Two may hold it at the same time (a paused process, a clock that runs
 * fast); what keeps them apart is the journal, in which only one can append. The lease keeps the others from trying.
 *
 * LS1. Of several that ask for a free lease at once, at most one gets it, as a rule.
 * LS2. A lease that is not renewed is free `ttlMs` after the last time, or up to a second later.
 * LS3. Who has lost it is told so by `renew`; an engine that cannot be reached is an error, not an answer.
 */
export interface Lease {
  /** `false`: somebody else has it. @throws CommError when the engine cannot be reached */
  tryAcquire(name: string, holder: string, ttlMs: number): Promise<boolean>;
  /** `false`: it is not the holder's any more. @throws CommError when the engine cannot be reached */
  renew(name: string, holder: string, ttlMs: number): Promise<boolean>;
  /** Gives it up, if it is the holder's. */
  release(name: string, holder: string): Promise<void>;
  /** Who has it; `null`: nobody. */
  holder(name: string): Promise<string | null>;
}
