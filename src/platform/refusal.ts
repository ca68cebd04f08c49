/**
 * A refusal is an expected "no": a value, never thrown. It names the rule that said no, what
 * would make it a yes, and from when on (if time alone will do).
 */
export type Refusal = {
  /** Stable snake_case code, listed in docs/reference/errors.md. */
  code: string;
  /** One sentence for a person: what was refused and why. */
  message: string;
  /** One sentence: what to do about it. */
  fix: string;
  /** The policy rule that refused, where one did. */
  rule?: string;
  /** Facts the decision rests on; never a full phone number. */
  evidence?: Record<string, unknown>;
  /** Milliseconds since 1970 from which it would be allowed, when time alone will do. */
  allowedAt?: number;
  /** Until when at the latest it would be allowed, for what comes too late. */
  latestAt?: number;
};

export type Refused = { refused: Refusal };

export function isRefused(value: unknown): value is Refused {
  return typeof value === 'object' && value !== null && 'refused' in value;
}
