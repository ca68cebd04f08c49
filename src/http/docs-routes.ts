import type { HttpServer } from './server.ts';

export type ErrorEntry = {
  code: string;
  /** One sentence. */
  title: string;
  meaning: string | null;
  fix: string;
  /** Short facts: HTTP status, Meta's numbers, outcome. */
  facts: readonly string[];
};

export type ErrorSection = { title: string; about: string; entries: readonly ErrorEntry[] };

const STYLE = `:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; }
h3 { margin-bottom: 0; font-family: ui-monospace, monospace; }
h3 a { color: inherit; text-decoration: none; }
h3 a:hover, h3 a:focus-visible { text-decoration: underline; }
article { padding: 0.2rem 0.8rem; border-inline-start: 3px solid transparent; }
article:target { border-color: #1a7f5a; }
p { margin: 0.2rem 0; }
.facts { opacity: 0.75; font-size: 0.9rem; }
`;

/**
 * `GET /docs/errors`: what each code means and what to do about it, where `docs_url` of every
 * problem points. Needs no key: it holds nothing of anybody. No script, no inline style: the
 * page keeps the strict content security policy.
 */
export function registerDocsRoutes(app: HttpServer, sections: readonly ErrorSection[]): void {
  const page = errorsPage(sections);
  const hidden = { schema: { hide: true } };
  app.get('/docs/errors', hidden, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(page),
  );
  app.get('/docs/errors.css', hidden, async (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'no-cache').send(STYLE),
  );
}

function errorsPage(sections: readonly ErrorSection[]): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>Askfirst: error codes</title>',
    '<link rel="icon" href="data:,">',
    '<link rel="stylesheet" href="/docs/errors.css">',
    '</head>',
    '<body>',
    '<main>',
    '<h1>Error codes</h1>',
    '<p>Every code that Askfirst answers, what it means, and what to do.</p>',
    ...sections.map(sectionHtml),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function sectionHtml({ title, about, entries }: ErrorSection): string {
  return [
    '<section>',
    `<h2>${escaped(title)}</h2>`,
    `<p>${escaped(about)}</p>`,
    ...entries.map(entryHtml),
    '</section>',
  ].join('\n');
}

function entryHtml({ code, title, meaning, fix, facts }: ErrorEntry): string {
  return [
    `<article id="${escaped(code)}">`,
    `<h3><a href="#${escaped(code)}">${escaped(code)}</a></h3>`,
    `<p>${escaped(title)}${meaning === null ? '' : ` ${escaped(meaning)}`}</p>`,
    `<p><strong>Fix:</strong> ${escaped(fix)}</p>`,
    ...(facts.length === 0 ? [] : [`<p class="facts">${escaped(facts.join(' · '))}</p>`]),
    '</article>',
  ].join('\n');
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
