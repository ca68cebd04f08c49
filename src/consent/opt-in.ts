import groups from './opt-in-phrases.json' with { type: 'json' };
import { plainReadings, plainText } from './opt-out-text.ts';

const PHRASES: ReadonlySet<string> = new Set(
  groups.flatMap(({ phrases }) => phrases.map((phrase) => plainText(phrase).letters.join(''))),
);

/**
 * Whether a message takes an earlier stop back: START, "you may call me again". Only the whole
 * message counts, without a word more, for this is the one message where a mistake would fall on
 * the side of calling.
 */
export function wantsCallsAgain(text: string): boolean {
  return plainReadings(text).some((plain) => PHRASES.has(plain.letters.join('')));
}
