import type { AccountId } from '../platform/ids.ts';
import type { Vault } from '../platform/vault.ts';

/**
 * A purpose is free text that may speak of one person, so figures know it by a keyed hash, which
 * nobody can read or guess without the data key. Its words are kept, sealed, only while at least
 * so many people were asked or called with the very same ones: they speak of nobody then.
 */
export const PURPOSE_PEOPLE_MIN = 5;

const HEX_DIGITS = 32;

/** The same words give the same id within an account, and another one in every other. */
export function purposeIdOf(vault: Vault, accountId: AccountId, purpose: string): string {
  const name = vault.pseudonym(`kpi purpose ${accountId} ${purpose}`).toString('hex');
  return `purpose_${name.slice(0, HEX_DIGITS)}`;
}
