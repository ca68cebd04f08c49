import type { SimulatorSettings } from '../../simulator/settings.ts';
import type { InvariantId } from './invariants.ts';
import type { MetaRequest } from './meta-in-process.ts';
import { STOPS } from './witness.ts';

/**
 * The test of the test: each of these breaks the product on purpose, through one of its ports or
 * behind its back in the rows, in the way that one invariant forbids. A simulation that does not
 * find it would not find the fault either.
 */
export type Mutation = {
  invariant: InvariantId;
  /** What the product would have done wrong. */
  describes: string;
  /** A seed that has shown it, which is tried first; without it they are tried from 1. */
  shownBy?: number;
  /** What the product gets of a webhook; a second copy comes `SECOND_COPY_MS` later. */
  webhook?: (body: Buffer, now: number) => Buffer[];
  /** What arrives at Meta of a request. */
  request?: (request: MetaRequest) => MetaRequest[];
  /** Runs before each look at the rows. */
  rows?: string;
  /** Of the simulated Meta, which would otherwise prevent the worst. */
  meta?: Partial<SimulatorSettings>;
  callsAtOnce?: number;
  losesEvents?: boolean;
};

/** Enough for a call that uses up the first permission. */
export const SECOND_COPY_MS = 3 * 60_000;
const NO_LIMITS = { requestsPerDay: 1_000, requestsPerWeek: 1_000 };
const WEEK_SECONDS = 604_800;

const isDial = ({ body }: MetaRequest): boolean => body['action'] === 'connect';

export const MUTATIONS: readonly Mutation[] = [
  {
    invariant: 'I1',
    describes: 'takes "not now" for a yes',
    shownBy: 5,
    webhook(body, now) {
      const until = Math.floor(now / 1_000) + WEEK_SECONDS;
      const yes = `"response":"accept","is_permanent":false,"expiration_timestamp":"${until}"`;
      return [Buffer.from(body.toString('utf8').replace('"response":"reject"', yes))];
    },
  },
  {
    invariant: 'I2',
    describes: 'says that it has a stop, and loses it',
    shownBy: 14,
    webhook(body) {
      const text = body.toString('utf8');
      return STOPS.some((stop) => text.includes(`"body":"${stop}"`)) ? [] : [body];
    },
  },
  {
    invariant: 'I3',
    describes: 'dials twice for one call',
    request: (request) => (isDial(request) ? [request, request] : [request]),
  },
  {
    invariant: 'I4',
    describes: 'takes the echo of a yes for another yes',
    webhook(body, now) {
      const text = body.toString('utf8');
      if (!text.includes('"response":"accept"')) return [body];
      const later = String(Math.floor((now + SECOND_COPY_MS) / 1_000));
      const echo = text
        .replace(/"id":"wamid\.([^"]{4})/, '"id":"wamid.ECHO')
        .replace(/"timestamp":"?\d+"?/, `"timestamp":"${later}"`);
      return [body, Buffer.from(echo)];
    },
  },
  {
    invariant: 'I5',
    describes: 'sends every request four times',
    meta: NO_LIMITS,
    request: (request) =>
      request.path.endsWith('/messages') ? [request, request, request, request] : [request],
  },
  {
    invariant: 'I6',
    describes: 'forgets the law for those who did not set it aside',
    shownBy: 20,
    rows: `update accounts set settings = (select settings from accounts order by id limit 1)`,
  },
  {
    invariant: 'I7',
    describes: 'dials another number than it judged',
    request: (request) =>
      isDial(request) ? [{ ...request, body: { ...request.body, to: '+5351234567' } }] : [request],
  },
  {
    invariant: 'I8',
    describes: 'lets an ended call live again',
    rows: `update calls set status = 'bridged'
      where id = (select min(id) from calls where status = 'ended')
        and not exists (select from calls where status not in ('queued', 'ended'))`,
  },
  { invariant: 'I9', describes: 'forgets a CDR', rows: 'delete from cdrs' },
  {
    invariant: 'I10',
    describes: 'writes a wrong end into the CDR',
    shownBy: 12,
    rows: `update cdrs set record = record || '{"endedAt": "2026-06-03T05:00:00.000Z"}'`,
  },
  {
    invariant: 'I11',
    describes: 'does not say by which rules it decided',
    rows: `update ledger set data = data - 'policyPack'`,
  },
  {
    invariant: 'I12',
    describes: 'changes an entry of the ledger',
    rows: `update ledger set actor = 'nobody' where sequence = 2`,
  },
  {
    invariant: 'I13',
    describes: 'loses an event of a call',
    rows: `delete from events where sequence = 2 and type like 'call.%'`,
  },
  { invariant: 'I14', describes: 'takes an event for delivered that is lost', losesEvents: true },
  { invariant: 'I15', describes: 'does not know its cap', shownBy: 26, callsAtOnce: 50 },
  {
    invariant: 'I17',
    describes: 'leaves a planned call standing after a stop',
    shownBy: 8,
    rows: `update calls set status = 'queued', due_at = due_at + interval '20 hours'
      where status = 'ended'
        and contact_id in (select contact_id from ledger where type = 'OptedOut')`,
  },
  {
    invariant: 'I19',
    describes: 'takes everybody for a customer of the first business',
    rows: `update contacts set account_id = (select min(id) from accounts)`,
  },
  {
    invariant: 'I20',
    describes: 'forgets which requests it has answered',
    rows: 'delete from idempotency_keys; delete from seen_facts',
  },
];
