/** What a failure means for whoever must decide what happens next. */
export type Verdict = 'retryable' | 'terminal';

/** Who is to blame; `indeterminate` means nobody knows whether it happened, so nobody retries. */
export type FailureSide = 'client' | 'server' | 'upstream' | 'indeterminate';

/**
 * Something that should have worked did not. The place that sees it gives the verdict, so no
 * caller guesses. A refusal is not a failure, and a bug is `invariant()`.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: string;
  readonly verdict: Verdict;
  readonly side: FailureSide;
  readonly fix: string;

  constructor(spec: {
    code: string;
    message: string;
    fix: string;
    verdict: Verdict;
    side: FailureSide;
    cause?: unknown;
  }) {
    super(spec.message, { cause: spec.cause });
    this.code = spec.code;
    this.verdict = spec.verdict;
    this.side = spec.side;
    this.fix = spec.fix;
  }
}

/** The text of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
