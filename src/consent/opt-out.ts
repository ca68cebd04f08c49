import groups from './opt-out-phrases.json' with { type: 'json' };
import { refusesCalls } from './opt-out-near.ts';
import { isDense, picturesOf, plainReadings, plainText, type PlainText } from './opt-out-text.ts';

/**
 * How surely a message means "never call me again".
 *
 * - `exact`: the whole message is an opt-out. It takes effect at once and for good.
 * - `likely`: it says so among other words, or by a sign. Calls are blocked at once and the person
 *   is asked, for a mistake must fall on the side of not calling.
 * - `unclear`: a word of it could mean that, or an appointment. Nothing is blocked; a human looks.
 */
export type OptOutBand = 'exact' | 'likely' | 'unclear';

/**
 * Reads a customer's message, in any of the languages of `opt-out-phrases.json`; null when nothing
 * in it speaks of stopping. Takes time in proportion to the length of the message.
 */
export function readOptOut(text: string): OptOutBand | null {
  const bands = new Set(plainReadings(text).map(bandOfWords));
  bands.add(bandOfPictures(text));
  return STRONGEST_FIRST.find((band) => bands.has(band)) ?? null;
}

/**
 * Whether the whole message is a clear wish to go on being called, such as "YES CALL". A bare
 * "yes" or "no" is none: who was asked "Shall we stop?" may mean either by it.
 */
export function wantsCallsKept(text: string): boolean {
  return plainReadings(text).some((plain) => KEEP.has(plain.letters.join('')));
}

type Group = { language: string; band: string; phrases: string[] };

/** A phrase is found letter by letter, so that one walk compares with all phrases at once. */
type Branch = {
  next: Map<string, Branch>;
  /** What the phrase that ends here means; `ordinary` is what only looks like an opt-out. */
  meaning: 'likely' | 'unclear' | 'ordinary' | null;
  /** Its script has no spaces, so it may begin and end inside what looks like a word. */
  dense: boolean;
};

const STRONGEST_FIRST = ['exact', 'likely', 'unclear'] as const;
/** Pictures have no language; this is the code that ISO 639-2 has for that. */
const NO_LANGUAGE = 'zxx';
/** Polite words around "stop"; a message of more words is free text. */
const LETTERS_AROUND_MAX = 120;

const phrasesOf = (band: string, pictures = false): string[] =>
  (groups as Group[])
    .filter((group) => group.band === band && (group.language === NO_LANGUAGE) === pictures)
    .flatMap(({ phrases }) => phrases);
const keysOf = (band: string): Set<string> =>
  new Set(phrasesOf(band).map((phrase) => plainText(phrase).letters.join('')));

const EXACT = keysOf('exact');
const KEEP = keysOf('keep');
const FILLERS = keysOf('filler');
const PIECES: ReadonlySet<string> = new Set([...FILLERS, ...EXACT]);
const PIECE_MAX = Math.max(...Array.from(PIECES, (piece) => piece.length));
const LIKELY_PICTURES = phrasesOf('likely', true).map(picturesOf);
const UNCLEAR_PICTURES = phrasesOf('unclear', true).map(picturesOf);
const TREE = growTree();

function bandOfWords(plain: PlainText): OptOutBand | null {
  const { letters } = plain;
  if (EXACT.has(letters.join(''))) return 'exact';
  if (letters.length <= LETTERS_AROUND_MAX && isExactAmongFillers(plain)) return 'likely';
  const found = scan(plain);
  return found !== 'likely' && refusesCalls(plain) ? 'likely' : found;
}

/** A stop sign alone says enough; beside words it is only a hint that somebody should look. */
function bandOfPictures(text: string): OptOutBand | null {
  const pictures = picturesOf(text);
  if (pictures === '') return null;
  const has = (wanted: readonly string[]): boolean =>
    wanted.some((picture) => pictures.includes(picture));
  const plain = plainText(text);
  const alone = plain.letters.length <= LETTERS_AROUND_MAX && piecesFrom(plain, FILLERS).has(-1);
  if (has(LIKELY_PICTURES)) return alone ? 'likely' : 'unclear';
  return alone && has(UNCLEAR_PICTURES) ? 'unclear' : null;
}

/** "please stop, stop, thanks": exact phrases with nothing but polite words around them. */
function isExactAmongFillers(plain: PlainText): boolean {
  return piecesFrom(plain, PIECES).has(-1) && !piecesFrom(plain, FILLERS).has(-1);
}

/** Every place that such pieces alone reach from the beginning; -1 stands for the very end. */
function piecesFrom(plain: PlainText, pieces: ReadonlySet<string>): Set<number> {
  const { letters, ends } = plain;
  const reached = new Set([0]);
  // A set is walked in the order of insertion, so that places found on the way are walked too.
  for (const start of reached) {
    for (let end = start + 1; end <= Math.min(letters.length, start + PIECE_MAX); end += 1) {
      const word = letters.slice(start, end);
      if (pieces.has(word.join('')) && (ends[end - 1] === true || isDenseAt(word))) {
        reached.add(end);
      }
    }
  }
  if (reached.has(letters.length)) reached.add(-1);
  return reached;
}

function isDenseAt(letters: readonly string[]): boolean {
  return isDense({ letters });
}

/**
 * Looks for phrases inside a message, the longest at each place. An ordinary phrase hides what it
 * covers: "don't stop calling" holds neither "stop calling" nor "stop".
 */
function scan(plain: PlainText): OptOutBand | null {
  let found: OptOutBand | null = null;
  for (let start = 0; start < plain.letters.length;) {
    const longest = longestAt(plain, start);
    if (longest?.meaning === 'likely') return 'likely';
    if (longest?.meaning === 'unclear') found = 'unclear';
    start = longest?.meaning === 'ordinary' ? longest.end : start + 1;
  }
  return found;
}

function longestAt(
  { letters, begins, ends }: PlainText,
  start: number,
): { meaning: NonNullable<Branch['meaning']>; end: number } | null {
  let longest = null;
  let branch: Branch | undefined = TREE;
  for (let at = start; at < letters.length; at += 1) {
    branch = branch.next.get(letters[at] ?? '');
    if (branch === undefined) break;
    const isWhole = branch.dense || (begins[start] === true && ends[at] === true);
    if (branch.meaning !== null && isWhole) longest = { meaning: branch.meaning, end: at + 1 };
  }
  return longest;
}

function growTree(): Branch {
  const root: Branch = { next: new Map(), meaning: null, dense: false };
  // The later meaning of the same words wins, and that must be the safer one.
  for (const meaning of ['ordinary', 'unclear', 'likely'] as const) {
    for (const phrase of phrasesOf(meaning)) {
      const plain = plainText(phrase);
      let branch = root;
      for (const letter of plain.letters) {
        const next = branch.next.get(letter) ?? { next: new Map(), meaning: null, dense: false };
        branch.next.set(letter, next);
        branch = next;
      }
      branch.meaning = meaning;
      branch.dense = isDense(plain);
    }
  }
  return root;
}
