/** Steps of a crossing as /api/traces tells them, and the time that each took. Pure. */

export interface Step {
  readonly step: string;
  /** Since the decision; null = has not happened. */
  readonly ms: number | null;
}

export interface Segment {
  readonly step: string;
  /** Place among the steps, 1 = the first after the decision. */
  readonly number: number;
  readonly ms: number;
}

/** The time that each step took: since the step before it that has happened. */
export function segmentsOf(steps: readonly Step[]): Segment[] {
  const segments: Segment[] = [];
  let before = 0;
  for (const [number, { step, ms }] of steps.entries()) {
    if (ms === null || number === 0) continue;
    segments.push({ step, number, ms: Math.max(0, ms - before) });
    before = Math.max(before, ms);
  }
  return segments;
}
