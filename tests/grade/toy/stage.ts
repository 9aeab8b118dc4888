/** The stage of a toy exercise: write `double(x)`, which returns 2x. */
export function makeStage(answer: { double: (x: number) => number }) {
  return { double: (x: number) => answer.double(x) };
}
