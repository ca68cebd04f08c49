import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Which test files run together, in how many processes, and beside what. Files that need no
 * world of their own share a process (`test-group.ts`); foreign programs and real sound get one
 * for each file. Real sound mostly waits, so everything else runs beside it and steps back.
 */
export type Tier = {
  name: string;
  files: string[];
  /** How many processes share the files; Infinity gives each file its own. */
  processes: number;
  /** How many processes run at the same time. */
  wide: number;
  /** How long one file may take before it counts as hanging. */
  fileTimeoutMs: number;
  /** For servers that a story has killed: dead ports give their closing no answer. */
  forceExit?: boolean;
  /** How far it steps back for what runs beside it, as in nice(1); with a server of its own. */
  niceness?: number;
  /** Whether real time decides there, so that a file which failed gets a second try. */
  isTimed?: boolean;
};

const root = dirname(import.meta.dirname);
const WIDE = 2;
const FILES_EACH = 8;
const PATIENT_MS = 10 * 60_000;
const SIMULATION_MS = 20 * 60_000;
const STEP_BACK = 10;

/** They take longest and begin first, so that no processor waits for them at the end. */
const LONG = [
  'test/simulation/simulation.',
  'test/real-calls.',
  'test/page.',
  'test/agent-page.',
  'test/campaign-page.',
  'test/attended-transfer.',
  'test/corpora.',
  'test/erasure.',
  'test/audit-tampering.',
  'test/endpoints.',
  'test/campaigns.',
  'test/api-bad-input.',
  'test/campaign-day/',
  'test/fail-closed.',
  'test/script-calls.',
];

/** Measures or sets something of the whole process, or is a process of others' processes. */
const ALONE = /process\.(memoryUsage|exitCode|chdir)|runSeeds\(/;

/** Lanes that run at the same time; the tiers of a lane run one after the other. */
export function lanesOf(all: readonly string[]): Tier[][] {
  const interop = all.filter((file) => file.endsWith('.interop.test.ts'));
  const stories = all.filter((file) => !interop.includes(file) && isStory(file));
  const others = all.filter((file) => !interop.includes(file) && !stories.includes(file));
  const lanes: Tier[][] = [
    // Nobody waits there for a real second, so they may be slow.
    [
      {
        name: 'pure',
        files: others.filter((file) => !usesDatabase(file)),
        processes: WIDE,
        fileTimeoutMs: PATIENT_MS,
      },
      {
        name: 'database',
        files: others.filter(usesDatabase),
        processes: 4,
        fileTimeoutMs: PATIENT_MS,
      },
      {
        name: 'stories',
        files: stories,
        processes: 10,
        fileTimeoutMs: SIMULATION_MS,
        forceExit: true,
      },
    ].map((tier) => ({ ...tier, wide: WIDE, niceness: STEP_BACK })),
    // Real sockets and real sound: mostly they wait, and two do not starve each other.
    [
      { name: 'interop', files: interop.filter((file) => !isAlone(file)), wide: WIDE },
      { name: 'interop, one at a time', files: interop.filter(isAlone), wide: 1 },
    ].map((tier) => ({
      ...tier,
      processes: Infinity,
      fileTimeoutMs: PATIENT_MS,
      isTimed: true,
    })),
  ];
  return lanes.map((lane) => lane.filter(({ files }) => files.length > 0));
}

/** Only what another version of the database could answer differently. */
export function databaseTier(all: readonly string[], version: string): Tier {
  const files = all
    .filter((file) => !isStory(file) && usesDatabase(file))
    .filter((file) => !file.endsWith('.interop.test.ts') || isStore(file));
  const name = `database on PostgreSQL ${version}`;
  return { name, files, processes: 4, wide: WIDE, fileTimeoutMs: PATIENT_MS };
}

/** The files of a tier, dealt to its processes; those that begin first come first. */
export function groupsOf({ files, processes }: Tier): string[][] {
  const rankOf = (file: string): number => {
    const rank = LONG.findIndex((piece) => file.startsWith(piece));
    return rank === -1 ? LONG.length : rank;
  };
  const sorted = files.toSorted((a, b) => rankOf(a) - rankOf(b));
  const alone = sorted.filter((file) => processes === Infinity || mustBeAlone(file));
  const together = sorted.filter((file) => !alone.includes(file));
  // A process that plays one or two has spent more on loading the product than on them.
  const count = Math.min(processes, Math.max(WIDE, Math.ceil(together.length / FILES_EACH)));
  const groups = Array.from({ length: Math.min(count, together.length) }, (_, nth) =>
    together.filter((_file, index) => index % count === nth),
  );
  return [...alone.map((file) => [file]), ...groups];
}

/** Plays against the whole server, under a clock that moves by hand. */
function isStory(file: string): boolean {
  return /^test\/(?!tidy|house-rules)/.test(file);
}

/** The flood measures, and SIPp and Kamailio are told a port that was free a moment ago. */
function isAlone(file: string): boolean {
  return /^src\/sip\/(flood|sipp|kamailio)\./.test(file);
}

function isStore(file: string): boolean {
  return /-store\.(interop\.)?test\.ts$/.test(file);
}

function mustBeAlone(file: string): boolean {
  return ALONE.test(readFileSync(join(root, file), 'utf8'));
}

const databaseUsers = new Map<string, boolean>();

/** Whether the file gets a test database, itself or through a file it imports. */
export function usesDatabase(file: string): boolean {
  const path = join(root, file);
  const known = databaseUsers.get(path);
  if (known !== undefined) return known;
  databaseUsers.set(path, false);
  if (!existsSync(path)) return false;
  const text = readFileSync(path, 'utf8');
  const imports = [...text.matchAll(/from '(\.[^']+\.ts)'/g)].map((match) => match[1] ?? '');
  const uses = imports.some((name) => {
    const imported = join(dirname(file), name);
    return imported === join('test', 'database.ts') || usesDatabase(imported);
  });
  databaseUsers.set(path, uses);
  return uses;
}
