import type { FailureEntry } from '../failure-codes.ts';

/** What can be wrong with a journey, and with starting one. */
export const JOURNEY_FAILURES: Readonly<Record<string, FailureEntry>> = {
  journey_invalid: {
    title: 'This journey cannot run.',
    fix: 'Correct what is listed under "fields"; POST /v1/journeys/check looks at a draft.',
    status: 422,
  },
  journey_unknown: {
    title: 'There is no such journey, or it was deleted.',
    fix: 'GET /v1/journeys lists those that can be started.',
    status: 422,
  },
  journey_variables_invalid: {
    title: 'The start does not bring what the journey needs.',
    fix: 'Send what evidence.missing names, nothing of evidence.unknown, and times as RFC 3339.',
    status: 422,
  },
  journey_run_live: {
    title: 'This person is on this journey already.',
    fix: 'Wait for its end, or cancel the run in evidence.runId.',
    status: 409,
  },
  journey_start_too_far: {
    title: 'A run can be started at most a year ahead.',
    fix: 'Name an earlier startAt.',
    status: 422,
  },
};
