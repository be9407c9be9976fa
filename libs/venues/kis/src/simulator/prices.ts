/** Documented price grid of KRX stocks: below this price, this step, KRW. */
const STEPS: readonly (readonly [below: number, step: number])[] = [
  [2_000, 1],
  [5_000, 5],
  [20_000, 10],
  [50_000, 50],
  [200_000, 100],
  [500_000, 500],
];

/** The step of the grid at a price. */
export function stepAt(price: number): number {
  return STEPS.find(([below]) => price < below)?.[1] ?? 1_000;
}

/** The next price up. */
export function above(price: number): number {
  return price + stepAt(price);
}

/** The next price down; at a border of the grid the lower side's step counts. */
export function below(price: number): number {
  return price - stepAt(price - 1);
}

/** The day's limits: 30 % around the previous close, rounded towards it onto the grid. */
export function limitsOf(previousClose: number): { readonly upper: number; readonly lower: number } {
  const highest = previousClose * 1.3;
  const lowest = previousClose * 0.7;
  return {
    upper: Math.floor(highest / stepAt(highest)) * stepAt(highest),
    lower: Math.ceil(lowest / stepAt(lowest)) * stepAt(lowest),
  };
}
