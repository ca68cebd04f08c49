import { END_REASONS } from './calls/end-codes.ts';
import { ORDER_CODES } from './calls/order-codes.ts';
import { RUN_FAILURES, START_FAILURES } from './failure-codes.ts';
import type { ErrorEntry, ErrorSection } from './http/docs-routes.ts';
import { HTTP_ERRORS } from './http/http-errors.ts';
import { REFUSALS } from './policy/refusal-codes.ts';
import { META_ERRORS, TRANSPORT_ERRORS, UNKNOWN_ERROR } from './whatsapp/errors.ts';
import { INTAKE_PROBLEMS } from './whatsapp/intake-problems.ts';

/**
 * Every code that can leave the house, each once, gathered from the tables that the code itself
 * reads. `GET /docs/errors` and docs/reference/errors.md are made from this.
 */
export function errorCatalogue(): ErrorSection[] {
  const seen = new Set<string>();
  return sections().map((section) => ({
    ...section,
    // A code that two tables hold is explained where it is met first.
    entries: section.entries.filter(({ code }) => !seen.has(code) && seen.add(code)),
  }));
}

function sections(): ErrorSection[] {
  return [
    {
      title: 'Refusals',
      about:
        'An expected no: nothing is broken, and the same request will be refused again until ' +
        'something has changed. allowedAt tells when time alone will do.',
      entries: Object.entries(REFUSALS).map(([code, { title, meaning, fix, status }]) => ({
        code,
        title: `${title}.`,
        meaning,
        fix,
        facts: [`HTTP ${status}`],
      })),
    },
    {
      title: 'Requests',
      about: 'What the HTTP layer itself answers.',
      entries: Object.entries(HTTP_ERRORS).map(([code, { title, fix, status }]) => ({
        code,
        title,
        meaning: null,
        fix,
        facts: [`HTTP ${status}`],
      })),
    },
    endsSection(),
    ordersSection(),
    {
      title: "Meta's errors",
      about:
        "Meta's error numbers in our words. The number decides, never the HTTP status: 138000 " +
        'and 138006 come as 401 although the token is fine.',
      entries: [...META_ERRORS, ...Object.values(TRANSPORT_ERRORS), UNKNOWN_ERROR].map(metaEntry),
    },
    {
      title: 'The webhook URL',
      about: 'What /webhooks/whatsapp answers when it does not answer 200.',
      entries: Object.values(INTAKE_PROBLEMS).map(({ code, title, detail, fix, status }) => ({
        code,
        title,
        meaning: detail,
        fix,
        facts: [`HTTP ${status}`],
      })),
    },
    {
      title: 'Failures while running',
      about: 'Something that should have worked did not, or an input was not usable.',
      entries: failures(RUN_FAILURES),
    },
    {
      title: 'Failures while starting',
      about: 'The start ends with one sentence and its fix.',
      entries: failures(START_FAILURES),
    },
  ];
}

function endsSection(): ErrorSection {
  return {
    title: 'Ends of calls',
    about:
      'The endReason of a call and its CDR. Beside these, a blocked call ends with the code of ' +
      'its refusal, a dial that Meta refused with one of the Meta codes below, and a call that ' +
      "Meta ended with an error with meta_ and Meta's number, for example meta_138021.",
    entries: Object.entries(END_REASONS).map(([code, { title, meaning, fix, outcomes }]) => ({
      code,
      title: `${title}.`,
      meaning,
      fix,
      facts: [`outcome ${outcomes.join(' or ')}`],
    })),
  };
}

function ordersSection(): ErrorSection {
  return {
    title: 'Orders to live calls',
    about:
      'Why an order of POST /v1/calls/{id}/actions was refused, or failed later. One that ' +
      'calls an endpoint may also fail with the end reason of its leg, such as endpoint_busy.',
    entries: Object.entries(ORDER_CODES).map(([code, { title, meaning, fix, status }]) => ({
      code,
      title: `${title}.`,
      meaning,
      fix,
      facts: [`HTTP ${status} where it is refused at once`],
    })),
  };
}

function metaEntry(row: (typeof META_ERRORS)[number]): ErrorEntry {
  const { code, metaCodes, message, fix, verdict, side } = row;
  const shown = metaCodes.slice(0, 6).join(', ') + (metaCodes.length > 6 ? ' …' : '');
  const numbers = metaCodes.length === 0 ? [] : [`Meta ${shown}`];
  const retry = verdict === 'retryable' ? 'may be tried again' : 'will not work again as it is';
  const open = side === 'indeterminate' ? ['the outcome is not known'] : [];
  return { code, title: message, meaning: null, fix, facts: [...numbers, retry, ...open] };
}

function failures(
  table: Readonly<Record<string, { title: string; fix: string; status?: number }>>,
): ErrorEntry[] {
  return Object.entries(table).map(([code, { title, fix, status }]) => ({
    code,
    title,
    meaning: null,
    fix,
    facts: status === undefined ? [] : [`HTTP ${status}`],
  }));
}
