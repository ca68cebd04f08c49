import {
  lookWith,
  check,
  fault,
  hint,
  numberFound,
  ok,
  time,
  unknown,
  type Found,
  type NumberFacts,
} from './check.ts';
import type { Check } from './diagnosis.ts';

export type RequestNotReceivedFacts = NumberFacts & {
  now: number;
  /** The latest request to this customer on this line. */
  request: {
    requestId: string;
    at: number;
    status: string;
    error: { code: string; message: string; fix: string } | null;
  } | null;
  /** The latest request that we did not even send. */
  refusal: { at: number; code: string } | null;
  /** The template of the latest request, else the one that would be used. */
  template: {
    name: string;
    language: string;
    category: string;
    /** Meta's word, lower case; null where Meta has none of this name; undefined when not asked. */
    status: string | null | undefined;
  };
  /** Until when the 24-hour window is open; null when closed; undefined when not known. */
  windowUntil: number | null | undefined;
  line: { enabled: boolean; restrictedUntil: number | null; pausedAt?: number | null };
};

/** "Customer doesn't receive permission request": the page's four checks, and ours around them. */
export function requestNotReceivedChecks(facts: RequestNotReceivedFacts): Check[] {
  const look = lookWith(facts);
  return [
    check('number_active', "The customer's number is right and active", numberFound(facts)),
    check('line_ready', 'The line may send', lineReady(facts)),
    check('template_approved', 'The template is approved by Meta', templateApproved(facts)),
    check('request_made', 'A request was made', look(requestMade)),
    check('window_open', 'The 24-hour window is open, where it is needed', look(windowOpen)),
    check('delivery', 'Meta delivered the message', look(delivery)),
  ];
}

function lineReady({ line, now }: RequestNotReceivedFacts): Found {
  if (!line.enabled) return fault('The line is switched off.', 'Enable the line.');
  const { restrictedUntil: until, pausedAt = null } = line;
  if (pausedAt !== null) {
    return fault(
      'The brakes have paused the line.',
      'Find the cause with GET /v1/brakes, then resume the line.',
      { pausedAt: time(pausedAt) },
    );
  }
  if (until === null || until <= now) return ok('The line is enabled and not restricted.');
  return fault('Meta restricts the line; it may neither ask nor call.', 'Wait for its end.', {
    restrictedUntil: time(until),
  });
}

const APPROVED = new Set(['approved', 'reinstated']);

function templateApproved({ template }: RequestNotReceivedFacts): Found {
  const { status, name, language } = template;
  const evidence = { template: name, language, status: status ?? null };
  if (status === undefined) return unknown('Meta could not be asked for it.', null, evidence);
  if (status === null) {
    return fault(
      'Meta has no template of this name and language.',
      'Submit it: POST /v1/lines/{id}/templates.',
      evidence,
    );
  }
  if (APPROVED.has(status)) return ok('Meta has approved it.', evidence);
  const fix =
    status === 'pending'
      ? 'Wait for the approval; it takes minutes to a day.'
      : 'Read what Meta says of it, change the text and submit it again.';
  return fault(`Meta has it as ${status}.`, fix, evidence);
}

function requestMade({ request, refusal }: RequestNotReceivedFacts): Found {
  if (refusal !== null && refusal.at > (request?.at ?? -1)) {
    const evidence = { code: refusal.code, at: time(refusal.at) };
    return fault(
      'The last request was refused and never sent.',
      `See /docs/errors/${refusal.code}.`,
      evidence,
    );
  }
  if (request === null) {
    return fault('Nobody has asked this customer.', 'Ask: POST /v1/permission-requests.');
  }
  const { requestId, at } = request;
  return ok('The customer was asked.', { requestId, at: time(at) });
}

/** The page wants the window for promotional templates; Meta also closes it to free-form texts. */
function windowOpen({ template, windowUntil, now }: RequestNotReceivedFacts): Found {
  const category = template.category.toUpperCase();
  if (category !== 'MARKETING') {
    return ok('A template of this category needs no open window.', { category });
  }
  if (windowUntil === undefined) {
    return unknown('It is not on record when the customer last wrote.', null, { category });
  }
  if (windowUntil !== null && now < windowUntil) {
    return ok('The customer wrote within 24 hours.', { until: time(windowUntil) });
  }
  return fault(
    'A MARKETING template needs the window, and it is closed.',
    'Wait until the customer writes, or use a UTILITY template for what is transactional.',
    { category, windowUntil: windowUntil === null ? null : time(windowUntil) },
  );
}

/** Longer than Meta takes for a phone that is on. */
const DELIVERY_SLOW_MS = 10 * 60_000;

function delivery({ request, now }: RequestNotReceivedFacts): Found {
  if (request === null) return unknown('There is no message to follow.');
  const { status, error, at, requestId } = request;
  const evidence = { requestId, status, at: time(at) };
  switch (status) {
    case 'failed':
      return fault(
        `It failed: ${error?.message ?? 'Meta gave no reason.'}`,
        error?.fix ?? 'Check the number.',
        { ...evidence, code: error?.code ?? null },
      );
    case 'queued':
      return now - at < DELIVERY_SLOW_MS
        ? hint('It waits to be sent.', 'Wait a moment.', evidence)
        : fault(
            'It waits to be sent for long.',
            'Look at the log of the worker role, and at GET /v1/lines/{id}/go-live.',
            evidence,
          );
    case 'sent':
      return hint(
        'Meta took it, and no phone has it yet.',
        'The phone is off or without data; it comes when the phone does. Do not send it again.',
        evidence,
      );
    case 'delivered':
    case 'read':
      return ok('It is on the phone.', evidence);
    default:
      return ok('The customer has had it.', evidence);
  }
}
