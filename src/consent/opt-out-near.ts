import phraseGroups from './opt-out-phrases.json' with { type: 'json' };
import languages from './opt-out-near.json' with { type: 'json' };
import { isDense, plainText, type PlainText } from './opt-out-text.ts';

/**
 * Free sentences that no list of phrases can hold: "ya basta de tantas llamadas". Where a word of
 * refusal stands near a word of calling, in one sentence and one language, the sentence most
 * likely asks for no more calls, unless a word of it tells another story ("why", "forget",
 * "missed"). The words are data: `opt-out-near.json`, where `*` stands for any part of a word.
 */
export function refusesCalls({ letters, begins, ends, closes }: PlainText): boolean {
  let sentence = new Sentence();
  for (let start = 0; start < letters.length; start += 1) {
    let branch: Branch | undefined = TREE;
    for (let at = start; at < letters.length; at += 1) {
      branch = branch.next.get(letters[at] ?? '');
      if (branch === undefined) break;
      for (const word of branch.words) {
        const isWhole =
          (word.openStart || begins[start] === true) && (word.openEnd || ends[at] === true);
        if (isWhole) sentence.read(word, start, at + 1);
      }
      // No word of the list goes on behind the end of its sentence.
      if (closes[at] === true) break;
    }
    if (closes[start] !== true) continue;
    if (sentence.refuses()) return true;
    sentence = new Sentence();
  }
  return sentence.refuses();
}

/**
 * What a word of the list is good for: `before` and `after` refuse, each on its side of a word
 * of `calls`; `removals` ask that one of `numbers` be struck off; `alone` says all by itself;
 * `unless` takes the suspicion away.
 */
const ROLES = ['calls', 'before', 'after', 'numbers', 'removals', 'alone', 'unless'] as const;
type Role = (typeof ROLES)[number];
type Language = { language: string; within: number } & Partial<Record<Role, string[]>>;

type Word = { of: Language; role: Role; openStart: boolean; openEnd: boolean };
type Branch = { next: Map<string, Branch>; words: Word[] };

/** Where the latest words of each kind ended; of words that overlap, any may be the one meant. */
type Heard = { ends: Map<Role, number[]>; refuses: boolean; excused: boolean };
const LATEST = 4;

class Sentence {
  readonly #heard = new Map<Language, Heard>();
  #excused = false;

  read({ of, role }: Word, start: number, end: number): void {
    if (of === ANY_LANGUAGE) {
      this.#excused = true;
      return;
    }
    const heard: Heard = this.#heard.get(of) ?? {
      ends: new Map<Role, number[]>(),
      refuses: false,
      excused: false,
    };
    this.#heard.set(of, heard);
    const isNear = (other: Role): boolean =>
      (heard.ends.get(other) ?? []).some((at) => start >= at && start - at <= of.within);
    if (role === 'unless') heard.excused = true;
    if (role === 'alone') heard.refuses = true;
    if (role === 'calls' && isNear('before')) heard.refuses = true;
    if (role === 'after' && isNear('calls')) heard.refuses = true;
    if (role === 'numbers' && isNear('removals')) heard.refuses = true;
    if (role === 'removals' && isNear('numbers')) heard.refuses = true;
    heard.ends.set(role, [...(heard.ends.get(role) ?? []), end].slice(-LATEST));
  }

  refuses(): boolean {
    if (this.#excused) return false;
    return [...this.#heard.values()].some(({ refuses, excused }) => refuses && !excused);
  }
}

/** Holds the phrases that only look like a stop, of whatever language. */
const ANY_LANGUAGE: Language = { language: 'mul', within: 0 };
const TREE = growTree();

function growTree(): Branch {
  const root: Branch = { next: new Map(), words: [] };
  for (const of of languages as Language[]) {
    for (const role of ROLES) for (const text of of[role] ?? []) plant(root, text, { of, role });
  }
  for (const { band, phrases } of phraseGroups) {
    if (band !== 'ordinary') continue;
    for (const text of phrases) plant(root, text, { of: ANY_LANGUAGE, role: 'unless' });
  }
  return root;
}

function plant(root: Branch, text: string, { of, role }: Pick<Word, 'of' | 'role'>): void {
  const plain = plainText(text);
  let branch = root;
  for (const letter of plain.letters) {
    const next = branch.next.get(letter) ?? { next: new Map(), words: [] };
    branch.next.set(letter, next);
    branch = next;
  }
  const dense = isDense(plain);
  const openStart = dense || text.startsWith('*');
  const openEnd = dense || text.endsWith('*');
  branch.words.push({ of, role, openStart, openEnd });
}
