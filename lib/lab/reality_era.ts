/**
 * Which machine stands for which recorded kernel. Ours.
 */
import { linux } from "../eras.ts";
import type { MachineOptions } from "./options.ts";

/** The series that recordings exist of. */
export const seriesNames = ["6.1", "6.12", "6.18", "7.2"] as const;
export type Series = (typeof seriesNames)[number];

/**
 * seriesOf() - the series of a kernel release: "6.12.117+deb12-amd64" → "6.12".
 *
 * Throws RangeError for one that there is no machine for.
 */
export function seriesOf(release: string): Series {
  const series = release.split(".").slice(0, 2).join(".");
  const found = seriesNames.find((name) => name === series);
  if (found !== undefined) return found;
  throw new RangeError(
    `kernel: wanted one of ${seriesNames.join(", ")}; got ${release}`,
  );
}

/** What makes the machine be like that series. */
export function linuxOf(
  series: Series,
): Pick<MachineOptions, "proposals" | "quirks"> {
  const { proposals, quirks } = linux(series);
  return { proposals, quirks };
}
