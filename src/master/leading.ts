/** Of several masters one leads: what the others, and those who ask them, need to know of that. */

/**
 * `leads`: it decides. `follows`: it reads what the leader records, and answers questions from that. `none`: it does neither yet, or
 * not any more.
 */
export type MasterRole = "leads" | "follows" | "none";

export interface Leading {
  /** What this master does. */
  role(): MasterRole;
  /** Who leads, as far as is known here, be it this master; `null`: nobody is known to. */
  leader(): { readonly url: string; readonly epoch: number } | null;
  /** So many milliseconds ago this master last knew everything that was recorded; 0 where it leads. */
  ageMs(): number;
}
