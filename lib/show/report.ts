/**
 * A machine's report as the files that a real one has. Ours.
 */
import type { Report } from "../lab/report.ts";
import type { Figure } from "./figure.ts";
import { table } from "./table.ts";

/** The files that a report can be shown as. */
export type ReportFile = "vmstat" | "meminfo" | "zswap" | "swaps";

const captions: Readonly<Record<ReportFile, string>> = {
  vmstat: "/proc/vmstat (events since boot)",
  meminfo: "/proc/meminfo (KiB)",
  zswap: "/sys/kernel/debug/zswap (pool_total_size in bytes)",
  swaps: "/proc/swaps (sizes in KiB)",
};

/**
 * reportTable() - one file of a report as a table.
 *
 * @param file which one: "vmstat", "meminfo", "zswap" or "swaps"
 */
export function reportTable(report: Report, file: ReportFile): Figure {
  const caption = captions[file];
  if (caption === undefined) {
    const known = Object.keys(captions).join(", ");
    throw new RangeError(
      `reportTable() file: wanted one of ${known}; got "${file}"`,
    );
  }
  if (file === "swaps") {
    return table(report.swaps.map((line) => ({ ...line })), {
      caption,
      columns: ["Filename", "Size", "Used", "Priority"],
    });
  }
  const lines = Object.entries(report[file]);
  return table(lines.map(([name, value]) => ({ name, value })), {
    caption,
    columns: ["name", "value"],
  });
}
