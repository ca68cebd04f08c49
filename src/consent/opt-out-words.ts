import words from './opt-out-words.json' with { type: 'json' };

/** What a person reads about being called or not, in one language. No word of it sells anything. */
export type OptOutWords = {
  /** The one confirmation after a stop. */
  confirmed: string;
  /** Asked after a message that most likely means stop; the answers it names are read. */
  question: string;
  /** The answer to a wish to be called again. */
  lifted: string;
  /** The rest stands on the page behind a self-service link. */
  title: string;
  open: string;
  stopped: string;
  stop: string;
  again: string;
  /** What one line may do now: one call, calls, or none. */
  mayOnce: string;
  may: string;
  mayNot: string;
  /** Stand before the purpose and before the end; `noEnd` is instead of a time. */
  about: string;
  until: string;
  noEnd: string;
  takeBack: string;
  unknown: string;
};

const WORDS = new Map<string, OptOutWords>(Object.entries(words));
const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(['ar', 'fa', 'he', 'ur']);

/** ISO 639-1 codes of the languages that we have the words in. */
export const WORDED_LANGUAGES: readonly string[] = [...WORDS.keys()];

export function wordsIn(language: string): OptOutWords {
  return WORDS.get(language) ?? words.en;
}

export function directionOf(language: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(language) ? 'rtl' : 'ltr';
}

/**
 * The language to speak to a person in: that of the last request, which somebody chose for them,
 * else the one that most people of the number's country read (Unicode's likely subtags), else
 * English. `asked` is Meta's code, such as `pt_BR`.
 */
export function languageFor(person: { asked: string | null; country: string | null }): string {
  const asked = person.asked?.split(/[_-]/, 1)[0]?.toLowerCase();
  if (asked !== undefined && WORDS.has(asked)) return asked;
  const likely = person.country === null ? undefined : likelyLanguage(person.country);
  return likely !== undefined && WORDS.has(likely) ? likely : 'en';
}

function likelyLanguage(country: string): string | undefined {
  if (!/^[A-Z]{2}$/.test(country)) return undefined;
  return new Intl.Locale('und', { region: country }).maximize().language;
}
