import words from './survey-words.json' with { type: 'json' };

/** What a person reads or hears of a survey, in one language; `{business}` is the line's name. */
export type SurveyWords = {
  /** The question of the message, with what 1 and 5 mean. */
  question: string;
  /** On the button that opens the list: at most 20 characters. */
  button: string;
  /** Spoken at the end of a call; asks for a key. */
  spoken: string;
};

const WORDS = new Map<string, SurveyWords>(Object.entries(words));

/** ISO 639-1 codes of the languages that a survey can be in. */
export const SURVEY_LANGUAGES: readonly string[] = [...WORDS.keys()];

/** The words in a language, by ISO 639-1 code or a tag that begins with one; else in English. */
export function surveyWordsIn(language: string): SurveyWords {
  const [code = ''] = language.toLowerCase().split(/[_-]/, 1);
  return WORDS.get(code) ?? words.en;
}
