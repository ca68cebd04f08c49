import type { FailureEntry } from '../failure-codes.ts';

/** What can be wrong with planning a request, and why a planned one is not asked. */
export const REQUEST_FAILURES: Readonly<Record<string, FailureEntry>> = {
  request_planned: {
    title: 'A request to this customer is planned on this line already.',
    fix: 'Wait for it, or cancel it: POST /v1/planned-requests/{id}/cancel.',
    status: 409,
  },
  request_not_planned: {
    title: 'The request is not planned any more: it was asked, or given up.',
    fix: 'See what became of it: GET /v1/permission-requests/{id}.',
    status: 409,
  },
  request_plan_too_far: {
    title: 'A request can be planned at most 90 days ahead.',
    fix: 'Name an earlier sendAt.',
    status: 422,
  },
  line_unknown: {
    title: 'The line of a planned request is there no more.',
    fix: 'Plan it on another line.',
  },
  contact_merged: {
    title: 'The contact is one person with another contact, who goes on for them.',
    fix: 'Use the number or user id of that contact.',
  },
};
