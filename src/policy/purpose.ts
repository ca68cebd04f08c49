import type { PolicyPack } from './policy-pack.ts';

/** True when two purposes are the same to a reader: letter case, width and spacing aside. */
export function samePurpose(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

/** What is wrong with a purpose, as a sentence, or null when it tells the customer something. */
export function purposeProblem(
  purpose: string,
  rules: NonNullable<PolicyPack['purpose']>,
): string | null {
  const text = plain(purpose);
  if (text === '') return 'The purpose is empty.';
  const length = Array.from(text).length;
  if (length < rules.minLength || length > rules.maxLength) {
    const { minLength, maxLength } = rules;
    return `The purpose has ${length} characters; ${minLength} to ${maxLength} are allowed.`;
  }
  if (!/\p{L}/u.test(text)) return 'The purpose has no words in it.';
  const bare = text.replace(/^[\p{P}\p{S}\s]+|[\p{P}\p{S}\s]+$/gu, '');
  if (rules.generic.includes(bare)) return `The purpose "${bare}" is generic.`;
  return null;
}

/**
 * NFKC folds full-width letters and ligatures; format characters (zero-width, direction) are
 * dropped, because nobody sees them. Upper case first, so that ß and SS, ς and Σ agree.
 */
function plain(text: string): string {
  const folded = text.normalize('NFKC').replace(/\p{Cf}/gu, '');
  return folded.replace(/\s+/g, ' ').trim().toUpperCase().toLowerCase();
}
