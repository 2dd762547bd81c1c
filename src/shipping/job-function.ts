/** Any function or class of a user, before and after its travel: nothing is known of how it is called. */
// biome-ignore lint/complexity/noBannedTypes: a class is not assignable to a call signature, and both may travel
export type JobFunction = Function;
