import { BUILT_IN_TEMPLATES, quickReplies, type ReplyMeaning } from './template.ts';

/**
 * What the text of a quick reply says about calls, in the languages of the built-in templates.
 * The author of a template may say it too; then the author is believed.
 */
export function meaningOfReply(text: string): ReplyMeaning {
  const plain = plainReply(text);
  const known = KNOWN.get(plain);
  if (known !== undefined) return known;
  // A refusal may begin like a consent ("Yes, but not now"), so the no is looked for first.
  if (NO.test(plain)) return 'no';
  return YES.test(plain) ? 'yes' : 'other';
}

/** What a tap on one of these buttons means; the author's word counts before ours. */
export function meaningOfButton(
  text: string,
  buttons: ReadonlyArray<{ text: string; means: ReplyMeaning }>,
): ReplyMeaning {
  const plain = plainReply(text);
  const button = buttons.find((each) => plainReply(each.text) === plain);
  return button?.means ?? 'other';
}

/** Case, width, spaces and punctuation do not change what a button says. */
function plainReply(text: string): string {
  const letters = text.normalize('NFKC').toLowerCase();
  return letters.replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ').trim();
}

const KNOWN: ReadonlyMap<string, ReplyMeaning> = new Map(
  BUILT_IN_TEMPLATES.flatMap((template) =>
    quickReplies(template).map(({ text, means }) => [plainReply(text), means] as const),
  ),
);

/** Whole words at the start, or the usual ways to put it off; RTL and Devanagari included. */
const NO = new RegExp(
  String.raw`^(no|not|non|nein|não|nao|nunca|never|decline|deny|لا|ليس|नहीं|अभी नहीं)( |$)` +
    String.raw`|(not now|no thanks|ahora no|agora não|non ora|pas maintenant|jetzt nicht)`,
  'u',
);
const YES = new RegExp(
  String.raw`^(yes|yeah|ok|okay|sure|allow|accept|call me|please call|sí|si|oui|ja|sim|sì)( |$)` +
    String.raw`|^(نعم|हाँ|हां|permitir|autoriser|erlauben|consenti|السماح)( |$)` +
    String.raw`|(erlauben|अनुमति दें)$`,
  'u',
);
