/**
 * How surely a message means "never call me again". `exact`: the whole message is an opt-out and
 * takes effect at once. `likely` and `unclear` belong to the free-text engine and are not given
 * yet; callers already handle them, erring on the side of not calling.
 */
export type OptOutBand = 'exact' | 'likely' | 'unclear';

/**
 * Reads a customer's message. Letter case, width, invisible characters, emoji and punctuation
 * around the words do not matter; other words do: "cancel my appointment" is no opt-out.
 */
export function readOptOut(text: string): OptOutBand | null {
  if (text.length > TEXT_MAX) return null;
  return PHRASES.has(plain(text)) ? 'exact' : null;
}

/** No phrase is longer; a long message is free text. */
const TEXT_MAX = 200;

const PHRASES: ReadonlySet<string> = new Set([
  // Named by the product's rules.
  'stop calls',
  'no calls',
  // Their plain variants.
  'stop call',
  'stop the calls',
  'stop calling',
  'stop calling me',
  'no call',
  'no more calls',
  'do not call',
  'do not call me',
  'dont call',
  'dont call me',
  // Sure words: 47 CFR 64.1200(a)(10) and the messaging trade.
  'stop',
  'stopall',
  'stop all',
  'unsubscribe',
  'end',
  'quit',
  'revoke',
  'optout',
  'opt out',
  'cancel',
  'arret',
]);

function plain(text: string): string {
  return (
    text
      .normalize('NFKD')
      // Accents, variation selectors and invisible marks: nobody types them to mean something else.
      .replace(/[\p{M}\p{Cf}]/gu, '')
      .toLowerCase()
      .replace(/['\u2019\u02bc]/g, '')
      .replace(/[\p{P}\p{S}\p{Z}\p{C}]+/gu, ' ')
      .trim()
  );
}
