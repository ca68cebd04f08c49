import { readAccountSetting } from '../accounts/account-store.ts';
import { permissionOf } from '../consent/consent.ts';
import { readConsent } from '../consent/consent-store.ts';
import type { Queryable } from '../database/database.ts';
import type { AccountId, ContactId, LineId } from '../platform/ids.ts';
import type { Refusal } from '../platform/refusal.ts';
import {
  checklistRefusal,
  gapWarning,
  practicesOf,
  vagueRefusal,
  vagueWarning,
  vagueWords,
  type Checklist,
  type PracticeWarning,
  type Practices,
} from './practices.ts';

/** What an account holds its own people to. */
export async function practicesFor(db: Queryable, accountId: AccountId): Promise<Practices> {
  return practicesOf(await readAccountSetting(db, accountId, 'practices'));
}

/** Why nobody may be asked for that purpose; a purpose without vague words costs no look. */
export async function purposeRefusal(
  db: Queryable,
  accountId: AccountId,
  purpose: string,
): Promise<Refusal | null> {
  if (vagueWords(purpose) === null) return null;
  return vagueRefusal(await practicesFor(db, accountId), purpose);
}

/** What is not quite as it should be about a question that was asked at `now`. */
export async function requestWarnings(
  db: Queryable,
  accountId: AccountId,
  asked: { purpose: string; promisedAt: number | null; now: number },
): Promise<{ warnings?: PracticeWarning[] }> {
  const practices = await practicesFor(db, accountId);
  return warnings(
    vagueWarning(practices, asked.purpose),
    gapWarning(practices, asked.now, asked.promisedAt),
  );
}

/** A call that a person or a program starts by the API; journeys and campaigns do not come here. */
export type CallByHand = { purpose: string; checklist: Checklist | undefined };

/** Why such a call may not be started, by the account's own practices; null where it may. */
export async function callPracticeRefusal(
  db: Queryable,
  accountId: AccountId,
  { purpose, checklist }: CallByHand,
): Promise<Refusal | null> {
  const practices = await practicesFor(db, accountId);
  return vagueRefusal(practices, purpose) ?? checklistRefusal(practices, checklist);
}

type PlannedCall = {
  accountId: AccountId;
  contactId: ContactId;
  lineId: LineId;
  purpose: string;
  dueAt: number;
};

/** What is not quite as it should be about a call that was queued. */
export async function callWarnings(
  db: Queryable,
  plan: PlannedCall,
): Promise<{ warnings?: PracticeWarning[] }> {
  const practices = await practicesFor(db, plan.accountId);
  const grantedAt = permissionOf(await readConsent(db, plan))?.grantedAt ?? plan.dueAt;
  return warnings(
    vagueWarning(practices, plan.purpose),
    gapWarning(practices, grantedAt, plan.dueAt),
  );
}

/** Absent where there is nothing to say. */
function warnings(...all: ReadonlyArray<PracticeWarning | null>): { warnings?: PracticeWarning[] } {
  const told = all.filter((warning) => warning !== null);
  return told.length === 0 ? {} : { warnings: told };
}
