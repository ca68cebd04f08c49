import type { Check, CheckId, Finding, Told } from './golive.ts';

export function ok(detail: string): Finding {
  return { state: 'ok', detail, fix: null };
}

export function warning(detail: string, fix: string): Finding {
  return { state: 'warning', detail, fix };
}

export function failed(detail: string, fix: string): Finding {
  return { state: 'failed', detail, fix };
}

export function unknown(detail: string, fix: string): Finding {
  return { state: 'unknown', detail, fix };
}

/** One check of the list; `required` says whether the line may be used without it. */
export function check(id: CheckId, title: string, required: boolean, finding: Finding): Check {
  return { id, title, required, ...finding };
}

/** Codes that say "this token is no good": one cause, shown once and not behind every check. */
const TOKEN_CODES = new Set(['meta_token_invalid', 'meta_authentication_failed']);

/** Judges an answer; where there is none, what that says about this very check. */
export function judge<T>(told: Told<T>, verdict: (value: T) => Finding): Finding {
  if (told.ok) return verdict(told.value);
  if (TOKEN_CODES.has(told.code)) {
    return unknown('Meta did not answer this, because it refuses the token.', told.fix);
  }
  const { message, fix, isFinal } = told;
  return isFinal ? failed(message, fix) : unknown(`Could not be asked: ${message}`, fix);
}
