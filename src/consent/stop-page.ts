import type { PermissionId } from '../platform/ids.ts';
import { directionOf, wordsIn, type OptOutWords } from './opt-out-words.ts';

/** What the page shows: `open` while calls may be asked for, `stopped` after a stop. */
export type PageState = 'open' | 'stopped' | 'unknown';

/** A line that the person knows, and what they allow it at this moment; null: no call. */
export type ShownLine = { name: string; allowed: ShownPermission | null };

/** No more than the person was told when they were asked. */
export type ShownPermission = {
  permissionId: PermissionId;
  once: boolean;
  /** The same instant for machines and in words; null where there is no end. */
  until: { iso: string; text: string } | null;
  purpose: string | null;
};

export const PAGE_STYLE = `:root { color-scheme: light dark; }
body { font: 1.125rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.3; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 0 0 0.5rem; }
section { border: 1px solid; border-radius: 0.5rem; margin: 1.5rem 0; padding: 1rem; }
section p { margin: 0; }
dl { margin: 0.5rem 0 1rem; }
dt { font-weight: 600; }
dd { margin: 0 0 0.5rem; overflow-wrap: anywhere; }
.from { opacity: 0.8; }
button { font: inherit; font-weight: 600; min-height: 3rem; padding: 0.6rem 1.4rem;
  border: 2px solid currentColor; border-radius: 0.5rem; background: transparent; color: inherit; }
button.stop { background: #b3261e; border-color: #b3261e; color: #fff; }
button:focus-visible { outline: 3px solid #1a7f5a; outline-offset: 3px; }
`;

/**
 * The page behind a link: no script, no inline style, one button that ends everything and one for
 * every permission there is. Opening it changes nothing, for mail scanners and chat previews open
 * links too; only the buttons do.
 */
export function stopPage(page: {
  language: string;
  state: PageState;
  /** The names under which the person knows the business. */
  from: readonly string[];
  /** What each line may do now; nothing where that is said by the state itself. */
  lines: readonly ShownLine[];
}): string {
  const { language, state, from, lines } = page;
  const words = wordsIn(language);
  return [
    '<!doctype html>',
    `<html lang="${language}" dir="${directionOf(language)}">`,
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="robots" content="noindex, nofollow">',
    `<title>${escaped(words.title)}</title>`,
    '<link rel="icon" href="data:,">',
    '<link rel="stylesheet" href="/o/style.css">',
    '</head>',
    '<body>',
    '<main>',
    `<h1>${escaped(words.title)}</h1>`,
    ...(from.length === 0 ? [] : [`<p class="from">${escaped(from.join(' · '))}</p>`]),
    `<p role="status">${escaped(words[state])}</p>`,
    ...lines.flatMap((line, index) => sectionOf(line, `line-${index + 1}`, words)),
    ...formOf(state, words),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function sectionOf({ name, allowed }: ShownLine, id: string, words: OptOutWords): string[] {
  // Names and purposes are in the language of whoever wrote them, so each finds its own direction.
  const start = [
    `<section aria-labelledby="${id}">`,
    `<h2 id="${id}"><bdi>${escaped(name)}</bdi></h2>`,
  ];
  if (allowed === null) return [...start, `<p>${escaped(words.mayNot)}</p>`, '</section>'];
  const { permissionId, once, until, purpose } = allowed;
  const end =
    until === null
      ? escaped(words.noEnd)
      : `<time datetime="${until.iso}">${escaped(until.text)}</time>`;
  return [
    ...start,
    `<p>${escaped(once ? words.mayOnce : words.may)}</p>`,
    '<dl>',
    `<dt>${escaped(words.until)}</dt><dd>${end}</dd>`,
    ...(purpose === null
      ? []
      : [`<dt>${escaped(words.about)}</dt><dd><bdi>${escaped(purpose)}</bdi></dd>`]),
    '</dl>',
    '<form method="post">',
    `<input type="hidden" name="permission" value="${permissionId}">`,
    `<button name="wish" value="take_back" aria-describedby="${id}">${escaped(words.takeBack)}` +
      '</button>',
    '</form>',
    '</section>',
  ];
}

function formOf(state: PageState, words: OptOutWords): string[] {
  if (state === 'unknown') return [];
  const [wish, label] = state === 'open' ? ['stop', words.stop] : ['again', words.again];
  return [
    '<form method="post">',
    `<button class="${wish}" name="wish" value="${wish}">${escaped(label)}</button>`,
    '</form>',
  ];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
