/** What foreign workers of one job know of the cluster: where they ask, and how addresses are called there. */

export interface GatewayAccess {
  /** Base URL of what they take for the master. */
  readonly master: string;
  readonly discoPort: number;
  readonly putPort: number;
  /** Absolute paths, for what is read as files. */
  readonly discoData: string;
  readonly ddfsData: string;
  /** Settings of Disco's that its own workers find it by. */
  readonly environment: Readonly<Record<string, string>>;
  addressForWorker(url: string): string;
  /** The inverse, of an address that a worker outputs. */
  addressFromWorker(url: string): string;
}
