/**
 * What plots take from Observable Plot and linkedom. One module, so that the
 * book can leave both out until a figure is drawn (book/parts.ts). Ours.
 */
import type { PlotOptions } from "@observablehq/plot";
import { parseHTML as linkedomParse } from "linkedom/worker";

export {
  areaY,
  barY,
  dot,
  lineY,
  type Markish,
  plot as drawPlot,
  type PlotOptions,
  ruleX,
  ruleY,
  text,
} from "@observablehq/plot";

/** What Plot draws in; named by Plot's types, which know it without a DOM. */
export type DrawingDocument = NonNullable<PlotOptions["document"]>;

export const parseHTML: (html: string) => { document: DrawingDocument } =
  linkedomParse;
