import { basename, dirname } from 'node:path';

import { functionSpans, type Import, type SourceFile } from './repository.ts';

/**
 * The house rules as data and pure functions: a rule looks at one file and returns what is wrong
 * with it, in words that tell the fix. `tidy.test.ts` runs them over the repository.
 */
export type Finding = { readonly line: number; readonly message: string };

export type Rule = {
  readonly name: string;
  check(file: SourceFile): Finding[];
};

export const isTest = (path: string): boolean => path.endsWith('.test.ts');

/** Test files, and the files in the test folder that serve them. */
const servesTests = (path: string): boolean =>
  isTest(path) || path.startsWith('test/') || /-(fixtures|harness)\.ts$/.test(path);

/** These know everybody, because their only work is to put the parts together. */
const COMPOSITION_ROOTS = /^(src\/[\w-]+\.ts|src\/cli\/|bin\/|bench\/)/;

/**
 * The role a file plays beside its folder's decisions. A file with a role may use the database or
 * the network; in the deciding folders a file without one may not. Other folders may call files
 * with a face role; the rest of a folder is its own business.
 */
const FACE_ROLES = [
  'store',
  'routes',
  'worker',
  'client',
  'commands',
  'desk',
  'unit',
  'events',
  'lookup',
  'metrics',
];
const INNER_ROLES = ['server', 'session', 'leg', 'gateway', 'dialer', 'gate', 'hands'];
/** Kinds of plain data that other folders may read. */
const FACE_KINDS = ['types', 'views', 'codes'];
/** Decisions and values of a folder that others need as they are. */
const MORE_FACES = new Set([
  'src/attribution/attribution-schemas.ts',
  'src/brakes/brake-schemas.ts',
  'src/calls/call-control.ts',
  'src/calls/call-gate.ts',
  'src/calls/call-hands.ts',
  'src/calls/call-rules.ts',
  'src/calls/call-script.ts',
  'src/calls/gateway.ts',
  'src/campaigns/campaign-hold.ts',
  'src/campaigns/campaign-schemas.ts',
  'src/consent/opt-in.ts',
  'src/consent/opt-out-words.ts',
  'src/consent/opt-out.ts',
  'src/contacts/contact-fields.ts',
  'src/contacts/phone-number.ts',
  'src/contacts/recipient.ts',
  'src/costs/cost-estimate.ts',
  'src/costs/price-table.ts',
  'src/endpoints/caps.ts',
  'src/endpoints/failover.ts',
  'src/endpoints/routing.ts',
  'src/endpoints/target-guard.ts',
  'src/experiments/asking-hour.ts',
  'src/experiments/assignment.ts',
  'src/experiments/experiment-schemas.ts',
  'src/golive/endpoint-probe.ts',
  'src/http/api-schemas.ts',
  'src/http/csv-text.ts',
  'src/journeys/run-steps.ts',
  'src/journeys/run.ts',
  'src/kpis/kpi-schemas.ts',
  'src/ledger/changes.ts',
  'src/media/browser-peer.ts',
  'src/media/g711.ts',
  'src/media/sound-file.ts',
  'src/policy/hours/number-zones.ts',
  'src/policy/hours/zone-time.ts',
  'src/policy/idle-limits.ts',
  'src/policy/law-overlay.ts',
  'src/policy/layers.ts',
  'src/policy/limits.ts',
  'src/policy/own-limits.ts',
  'src/policy/pack-diff.ts',
  'src/policy/person-history.ts',
  'src/policy/policy-pack.ts',
  'src/policy/policy-packs.ts',
  'src/policy/purpose.ts',
  'src/prompts/sound-shelf.ts',
  'src/recording/announcements.ts',
  'src/recording/call-recorder.ts',
  'src/recording/recorder.ts',
  'src/recording/recording-disk.ts',
  'src/recording/recording-link.ts',
  'src/schedule/fair-share.ts',
  'src/schedule/planner.ts',
  'src/scripts/script-check.ts',
  'src/scripts/script-samples.ts',
  'src/scripts/script-text.ts',
  'src/scripts/step-problems.ts',
  'src/sip/tls-credentials.ts',
  'src/sip/uri.ts',
  'src/surveys/survey-words.ts',
  'src/templates/quick-reply.ts',
  'src/templates/template-life.ts',
  'src/templates/template-words.ts',
  'src/webhooks/egress.ts',
  'src/webhooks/signing.ts',
  'src/whatsapp/errors.ts',
]);
/** Folders that are made of faces. */
const OPEN_FOLDERS = new Set(['platform', 'database']);
/** In these folders a file without a role decides, and does nothing else. */
const PURE_FOLDERS = new Set(['consent', 'policy', 'calls', 'ledger', 'scheduler', 'contacts']);
const PURE_PACKAGES = new Set(['node:crypto', 'node:buffer', 'zod', 'libphonenumber-js/max']);

const ONLY_IN_PLATFORM: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/, 'take a Clock and ask it for the time'],
  [/(?<![.\w])(setTimeout|setInterval)\(/, 'use clock.after, delay(clock, ms) or repeat()'],
  [/\bMath\.random\b/, 'take a Random and draw from it'],
  [/\brandomUUID\b/, 'take Ids and call ids.next(kind)'],
  [/'(node:)?timers(\/promises)?'/, 'use clock.after, delay(clock, ms) or repeat()'],
];

/** A check may be silenced on one line, with the reason behind two dashes. */
const SILENCED =
  /@ts-(ignore|nocheck|expect-error)|(oxlint|eslint)-disable(?!-next-line [\w/-]+ -- \w)/;

/** A registry or a folder of one machine means nothing to a reader on another. */
const PRIVATE_WORDS = /\/work\/|registry\.npmjs/;

export const RULES: readonly Rule[] = [
  {
    name: 'file size',
    check({ path, lines }) {
      const limit = servesTests(path) ? 600 : 400;
      if (lines.length <= limit) return [];
      return [{ line: limit, message: `${lines.length} lines; split it by topic (${limit})` }];
    },
  },
  {
    name: 'function size',
    check: ({ code }) =>
      functionSpans(code)
        .filter((span) => span.length > 70)
        .map(({ line, length }) => ({
          line,
          message: `a function of ${length} lines; move its leaves out (70)`,
        })),
  },
  {
    name: 'line length',
    check: ({ path, lines }) =>
      eachLine(
        lines,
        (line) => line.length > 100 && !cannotBreak(path, line),
        (line) => `${line.length} columns; break the line (100)`,
      ),
  },
  {
    name: 'time and chance',
    check({ path, lines, code }) {
      if (path.startsWith('src/platform/') || path.startsWith('web/')) return [];
      return ONLY_IN_PLATFORM.flatMap(([pattern, fix]) =>
        eachLine(
          pattern.source.includes("'") ? lines : code,
          (line) => pattern.test(line),
          () => fix,
        ),
      );
    },
  },
  {
    name: 'console',
    check({ path, code }) {
      if (/^(bin|bench|test)\/|^src\/cli\/|^simulator\/cli\.ts$/.test(path)) return [];
      return eachLine(
        code,
        (line) => /\bconsole\./.test(line),
        () => 'use the log',
      );
    },
  },
  {
    name: 'layers',
    check: (file) =>
      file.imports.flatMap((found) => {
        const message = isTest(file.path) ? undefined : layerFault(file.path, found);
        return message === undefined ? [] : [{ line: found.line, message }];
      }),
  },
  {
    name: 'exports',
    check: ({ path, code }) => [
      ...eachLine(
        code,
        (line) => /^export default\b/.test(line) && !path.endsWith('.config.ts'),
        () => 'export it by name',
      ),
      ...eachLine(
        code,
        (line) => line.startsWith('export *'),
        () => 'no barrels: import from the file that has it',
      ),
    ],
  },
  {
    name: 'names',
    check({ path }) {
      const vague = /(^|[/-])(utils?|helpers?|common|services?|managers?|misc|lib)([/.-]|$)/.exec(
        path,
      );
      const message = 'is not a word of the trade; name the file after what it knows';
      if (vague !== null) return [{ line: 1, message: `"${vague[2]}" ${message}` }];
      return /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/.test(basename(path))
        ? []
        : [{ line: 1, message: 'write file names in kebab-case' }];
    },
  },
  {
    name: 'to-do notes',
    check: ({ lines }) =>
      eachLine(
        lines,
        (line) => /\b(TODO|FIXME|XXX|HACK)\b/.test(line) && !/#\d+/.test(line),
        () => 'do it, or open an issue and write its number (#12)',
      ),
  },
  {
    name: 'switched-off tests',
    check: ({ path, code }) =>
      !isTest(path)
        ? []
        : eachLine(
            code,
            (line) => /\.(only|skip|todo)\(|\b(only|skip|todo): true\b/.test(line),
            () => 'run every test, or delete it',
          ),
  },
  {
    name: 'type escapes',
    check: ({ lines, code }) => [
      ...eachLine(
        lines,
        (line) => SILENCED.test(line),
        () => 'correct the code, or write why it is right after " -- "',
      ),
      ...eachLine(
        code,
        (line) => /\bas any\b|: any\b/.test(line),
        () => 'use unknown and narrow it',
      ),
    ],
  },
  {
    name: 'private words',
    check: ({ lines }) =>
      eachLine(
        lines,
        (line) => PRIVATE_WORDS.test(line),
        () => 'means nothing on another machine; say it in other words',
      ),
  },
];

/** What is wrong with an import, or undefined. */
export function layerFault(path: string, found: Import): string | undefined {
  if (!found.inRepository) return packageFault(path, found);
  const { target } = found;
  const top = path.split('/')[0] ?? '';
  if (servesTests(path) || COMPOSITION_ROOTS.test(path)) return undefined;
  if (servesTests(target)) return 'the program must not need its tests';
  if (top === 'src' && !target.startsWith('src/') && !target.endsWith('package.json')) {
    return `the server must run without ${dirname(target)}; wire it in src/main.ts or src/cli`;
  }
  if (top === 'web' && /^src\/(?!platform\/)/.test(target) && !found.typeOnly) {
    return 'the page may take types from the server, never its code';
  }
  if (!target.startsWith('src/')) return undefined;
  const from = folderOf(path);
  const to = folderOf(target);
  if (from === 'platform' && to !== 'platform') return 'platform knows no word of the trade';
  if (isPure(path) && to === 'database')
    return 'a deciding file gets facts as arguments, never a database';
  if (isPure(path) && hasRole(target) && !found.typeOnly) {
    return `a deciding file does not call ${target}; move that into a file with a role`;
  }
  // Routes are built from what the http folder offers; it has no face because it is one.
  if (to === 'http' && roleOf(path) === 'routes') return undefined;
  return from === to || isFace(target)
    ? undefined
    : `${target} is ${to}'s own business; use src/${to}/${to}.ts or give it a role`;
}

function packageFault(path: string, found: Import): string | undefined {
  if (!isPure(path) || found.typeOnly || PURE_PACKAGES.has(found.target)) return undefined;
  if (found.target.startsWith('.')) return undefined;
  return `a deciding file does no input or output; ${found.target} belongs into a file with a role`;
}

function isPure(path: string): boolean {
  return path.startsWith('src/') && PURE_FOLDERS.has(folderOf(path)) && !hasRole(path);
}

function hasRole(path: string): boolean {
  return [...FACE_ROLES, ...INNER_ROLES].includes(roleOf(path));
}

/** `call-store.ts` plays the role `store`, `gateway.ts` the role `gateway`. */
function roleOf(path: string): string {
  return basename(path, '.ts').split('-').at(-1) ?? '';
}

function isFace(target: string): boolean {
  const folder = folderOf(target);
  const name = basename(target, '.ts');
  return (
    OPEN_FOLDERS.has(folder) ||
    // `contacts/contact.ts`: a folder of many is often about one.
    [folder, folder.replace(/s$/, '')].includes(name) ||
    [...FACE_ROLES, ...FACE_KINDS].includes(roleOf(target)) ||
    MORE_FACES.has(target)
  );
}

/** `src/consent/x.ts` belongs to `consent`, `simulator/x.ts` to `simulator`. */
function folderOf(path: string): string {
  const parts = path.split('/');
  return (parts[0] === 'src' ? (parts.length > 2 ? parts[1] : 'main') : parts[0]) ?? '';
}

/** A link cannot be broken, nor can a list of classes or a drawing inside JSX. */
function cannotBreak(path: string, line: string): boolean {
  return /https?:\/\//.test(line) || (path.endsWith('.tsx') && /["'`][^"'`]{60,}["'`]/.test(line));
}

function eachLine(
  lines: readonly string[],
  isWrong: (line: string) => boolean,
  message: (line: string) => string,
): Finding[] {
  return lines.flatMap((line, index) =>
    isWrong(line) ? [{ line: index + 1, message: message(line) }] : [],
  );
}
