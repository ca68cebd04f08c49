import type { Database, Tx } from '../database/database.ts';
import type { Changes } from '../ledger/changes.ts';
import type { PriceTable } from '../costs/price-table.ts';
import type { DoNotCallKey } from '../contacts/do-not-call-store.ts';
import type { Clock } from '../platform/clock.ts';
import type { AccountId, Id, IdKind, Ids } from '../platform/ids.ts';
import { isId } from '../platform/ids.ts';
import type { Random } from '../platform/random.ts';
import type { Refusal, Refused } from '../platform/refusal.ts';
import type { Sealer } from '../platform/sealing.ts';
import type { PolicyPacks } from '../policy/policy-packs.ts';
import { REFUSALS, type RefusalCode } from '../policy/refusal-codes.ts';
import { listLines, readLine, type StoredLine } from '../lines/line-store.ts';
import type { LineId } from '../platform/ids.ts';
import type { Authenticator } from './auth.ts';
import type { WorkRefused } from './idempotency.ts';
import type { FieldProblem } from './field-problems.ts';
import { HttpError, RefusalError } from './problem.ts';

/** What the routes of the API work with; made once by `main.ts`. */
export type ApiContext = {
  database: Database;
  clock: Clock;
  ids: Ids;
  random: Random;
  changes: Changes;
  packs: PolicyPacks;
  sealer: Sealer;
  doNotCallKey: DoNotCallKey;
  authenticator: Authenticator;
  /** What calls cost by the operator's file; null where there is none. */
  prices: PriceTable | null;
};

/** Turns a refusal into an answer with the status that its code has in the catalogue. */
export function refusedAnswer({ refused }: Refused): WorkRefused {
  const fields = fieldsAtFault(refused);
  return { refused, status: statusOf(refused), ...(fields === undefined ? {} : { fields }) };
}

/** The refusal of a number or user id that came in the field of that name, ready to throw. */
export function refusedInput({ refused }: Refused, field: string): RefusalError {
  return new RefusalError(refused, statusOf(refused), fieldsAtFault(refused, field));
}

/** Refusals that one field of the request alone is to blame for. */
const FIELDS_OF_CODES: Readonly<Record<string, string>> = {
  number_invalid: 'to',
  template_unknown: 'template',
  template_variables_invalid: 'variables',
  purpose_not_specific: 'purpose',
};

function fieldsAtFault(refused: Refusal, named?: string): FieldProblem[] | undefined {
  const field = named ?? FIELDS_OF_CODES[refused.code];
  if (field === undefined) return undefined;
  const rule = refused.evidence?.['rule'];
  return [{ field, rule: typeof rule === 'string' ? rule : refused.message, fix: refused.fix }];
}

function statusOf(refusal: Refusal): number {
  const known = REFUSALS[refusal.code as RefusalCode] as { status: number } | undefined;
  return known?.status ?? 422;
}

/** An id from a path or query, or 404: a malformed id names nothing that exists. */
export function idFrom<K extends IdKind>(kind: K, text: string): Id<K> {
  if (isId(kind, text)) return text;
  throw new HttpError('not_found', `There is no ${kind} with this id.`);
}

export function found<T>(thing: T | null | undefined, what: string): T {
  if (thing === null || thing === undefined) {
    throw new HttpError('not_found', `There is no ${what} with this id in your account.`);
  }
  return thing;
}

/** The line that was named, or the account's only one. */
export async function lineFor(
  db: Database | Tx,
  accountId: AccountId,
  lineId: string | undefined,
): Promise<StoredLine> {
  if (lineId !== undefined) {
    return found(await readLine(db, accountId, idFrom('line', lineId) satisfies LineId), 'line');
  }
  const [only, ...others] = await listLines(db, accountId);
  if (only !== undefined && others.length === 0) return only;
  throw new HttpError('invalid_request', 'It is not clear which line to use.', {
    fields: [
      {
        field: 'lineId',
        rule: only === undefined ? 'the account has no line' : 'the account has several lines',
        fix:
          only === undefined ? 'Add a line first: POST /v1/lines.' : 'Name one; see GET /v1/lines.',
      },
    ],
  });
}
