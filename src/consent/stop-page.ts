import { directionOf, wordsIn, type OptOutWords } from './opt-out-words.ts';

/** What the page shows: `open` while calls may be asked for, `stopped` after a stop. */
export type PageState = 'open' | 'stopped' | 'unknown';

export const PAGE_STYLE = `:root { color-scheme: light dark; }
body { font: 1.125rem/1.6 system-ui, sans-serif; max-width: 32rem; margin: 3rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.3; }
.from { opacity: 0.8; }
button { font: inherit; font-weight: 600; min-height: 3rem; padding: 0.6rem 1.4rem;
  border: 2px solid currentColor; border-radius: 0.5rem; background: transparent; color: inherit; }
button.stop { background: #b3261e; border-color: #b3261e; color: #fff; }
button:focus-visible { outline: 3px solid #1a7f5a; outline-offset: 3px; }
`;

/**
 * The page behind a link: no script, no inline style, one button. Opening it changes nothing, for
 * mail scanners and chat previews open links too; only the button does.
 */
export function stopPage(page: {
  language: string;
  state: PageState;
  /** The names under which the person knows the business. */
  from: readonly string[];
}): string {
  const { language, state, from } = page;
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
    ...formOf(state, words),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
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
