/**
 * What plots take from Observable Plot and linkedom. One module, so that the
 * book can leave both out until a figure is drawn (book/parts.ts). Ours.
 */
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
export { parseHTML } from "linkedom/worker";
