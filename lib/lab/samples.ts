/**
 * The cache of unpacked page samples that a machine holds. Apart from
 * pages.ts, so that a machine does not bring the samples themselves along.
 * Ours.
 */

/** The processes that pages were sampled from. */
export const realKinds = ["python", "node", "sqlite", "redis"] as const;

export type RealKind = (typeof realKinds)[number];

/** The sampled pages, unpacked when a kind is first asked for. */
export interface PageSamples {
  readonly unpacked: Map<RealKind, Uint8Array>;
}

/** An empty cache; a machine holds one, so that sources share it. */
export function loadSamples(): PageSamples {
  return { unpacked: new Map() };
}
