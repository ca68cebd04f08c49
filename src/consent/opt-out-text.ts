/**
 * Brings a message to the plain form in which phrases are compared: what nobody types to mean
 * something else (case, width, accents, invisible marks, doubled letters, punctuation) is gone.
 * Every step is one pass over the text, so a long message costs time in proportion and no more.
 */
export type PlainText = {
  /** The letters and digits without spaces, one code point each. */
  letters: readonly string[];
  /** Whether a word begins at that letter, and whether one ends with it. */
  begins: readonly boolean[];
  ends: readonly boolean[];
  /** Whether a sentence is over after that letter. */
  closes: readonly boolean[];
};

/** The one plain form of a phrase of ours. */
export function plainText(text: string): PlainText {
  return cut(fold(text));
}

/**
 * The ways a message may be meant: as it is written, and with letters put for the digits, or for
 * the look-alikes of another script, that stand in its words ("st0p", a Cyrillic о in "stop").
 */
export function plainReadings(text: string): PlainText[] {
  const written = fold(text);
  const readings = new Set([written]);
  for (const digits of [LETTER_OF_DIGIT, { ...LETTER_OF_DIGIT, '1': 'l' }]) {
    readings.add(swap(written, digits, /\p{L}/u));
  }
  for (const reading of new Set(readings)) {
    readings.add(swap(reading, LATIN_OF_OTHER, /[\p{sc=Cyrl}\p{sc=Grek}]/u));
    readings.add(swap(reading, CYRILLIC_OF_LATIN, /\p{sc=Cyrl}/u));
    readings.add(swap(reading, GREEK_OF_LATIN, /\p{sc=Grek}/u));
  }
  return [...readings].map(cut);
}

/** The pictures of a message in order, without their skin colour and sex. */
export function picturesOf(text: string): string {
  return [...text.replace(INVISIBLE, '').matchAll(/\p{Extended_Pictographic}/gu)]
    .map(([picture]) => picture)
    .filter((picture) => !'♀♂©®™'.includes(picture))
    .join('');
}

/** Whether words of this text are written without spaces, or with endings glued to them. */
export function isDense({ letters }: Pick<PlainText, 'letters'>): boolean {
  return letters.some((letter) => DENSE.test(letter));
}

const DENSE =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}]/u;

/** Zero-width, bidi and other format characters, variation selectors, fillers, tags. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Accents of Latin, Greek and Cyrillic, points of Hebrew, vowels of Arabic, and the Indic nukta
 * dots: people leave them out. Vowel signs of Indic scripts and Thai stay: they are letters.
 */
const LOOSE_MARKS = new RegExp(
  [
    '[\\u0300-\\u036f\\u0483-\\u0487\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7',
    '\\u0610-\\u061a\\u064b-\\u065f\\u0670\\u093c\\u09bc]',
  ].join(''),
  'gu',
);

/** Letters that keyboards of one script write in several ways, and those NFKD leaves whole. */
const ONE_SPELLING: Readonly<Record<string, string>> = {
  ß: 'ss',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
  ς: 'σ',
  ى: 'ي',
  ی: 'ي',
  ے: 'ي',
  ک: 'ك',
  ة: 'ه',
  ہ: 'ه',
  ھ: 'ه',
  ە: 'ه',
  ـ: '',
};

const LETTER_OF_DIGIT: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
};

/** Small letters that look alike as small letters or as capitals. */
const CYRILLIC_OF_LATIN: Readonly<Record<string, string>> = {
  a: 'а',
  b: 'в',
  c: 'с',
  e: 'е',
  h: 'н',
  i: 'і',
  j: 'ј',
  k: 'к',
  m: 'м',
  o: 'о',
  p: 'р',
  s: 'ѕ',
  t: 'т',
  x: 'х',
  y: 'у',
};
const GREEK_OF_LATIN: Readonly<Record<string, string>> = {
  a: 'α',
  e: 'ε',
  h: 'η',
  i: 'ι',
  k: 'κ',
  m: 'μ',
  n: 'ν',
  o: 'ο',
  p: 'ρ',
  t: 'τ',
  x: 'χ',
  y: 'υ',
};
const LATIN_OF_OTHER: Readonly<Record<string, string>> = Object.fromEntries(
  [...Object.entries(CYRILLIC_OF_LATIN), ...Object.entries(GREEK_OF_LATIN)].map(([a, b]) => [b, a]),
);

/** Stands for the end of a sentence where words are parted by spaces. */
const CLOSE = '\n';
const SENTENCE_ENDS = /[.!?;\n\u061b\u061f\u06d4\u0964\u3002]/u;

/** Words parted by single spaces; the signs `@` and `$` stay, for they may stand for letters. */
function fold(text: string): string {
  return text
    .replace(INVISIBLE, '')
    .normalize('NFKD')
    .replace(INVISIBLE, '')
    .toLowerCase()
    .normalize('NFKD')
    .replace(LOOSE_MARKS, '')
    .normalize('NFC')
    .replace(/[ßøłđðıæœςىیےکةہھەـ]/gu, (letter) => ONE_SPELLING[letter] ?? letter)
    .replace(/['`´\u2018\u2019\u02bc\u02b9]/gu, '')
    .replace(/[^\p{L}\p{N}\p{M}@$]+/gu, (run) => (SENTENCE_ENDS.test(run) ? ` ${CLOSE} ` : ' '))
    .trim();
}

/** Replaces the signs of each word that holds such a letter; other words stay as they are. */
function swap(text: string, signs: Readonly<Record<string, string>>, inWordsWith: RegExp): string {
  return text
    .split(' ')
    .map((word) => {
      if (!inWordsWith.test(word)) return word;
      return Array.from(word, (sign) => signs[sign] ?? sign).join('');
    })
    .join(' ');
}

function cut(folded: string): PlainText {
  const letters: string[] = [];
  const begins: boolean[] = [];
  const ends: boolean[] = [];
  const closes: boolean[] = [];
  for (const word of folded.replace(/[@$]/g, ' ').split(' ')) {
    if (word === CLOSE) {
      if (closes.length > 0) closes[closes.length - 1] = true;
      continue;
    }
    // "stoppp" and "callls": a doubled letter never makes a word of ours another one.
    const signs = Array.from(word.replace(/(\p{L})\1+/gu, '$1'));
    signs.forEach((sign, index) => {
      letters.push(sign);
      begins.push(index === 0);
      ends.push(index === signs.length - 1);
      closes.push(false);
    });
  }
  return { letters, begins, ends, closes };
}
