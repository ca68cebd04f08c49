import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from 'node:test';

import { programPath } from '../test/peers.ts';

/**
 * `node bin/interop-page.ts`: runs the tests that speak with programs of others, one file after
 * the other, and writes what they proved into docs/reference/interop.md. A word after it takes
 * only peers with that word in their name and prints instead of writing.
 */
type Peer = {
  name: string;
  /** The program, and how it tells its version; null for a library. */
  program: string;
  versionArgs: readonly string[];
  as: string;
  files: readonly string[];
};

const PEERS: readonly Peer[] = [
  {
    name: 'SIPp',
    program: 'sipp',
    versionArgs: ['-v'],
    as: 'a PBX with scripts, over UDP and TCP',
    files: ['src/sip/sipp.interop.test.ts'],
  },
  {
    name: 'baresip',
    program: 'baresip',
    versionArgs: ['-h'],
    as: 'a telephone at the endpoint: signalling and audio',
    files: [
      'src/sip/baresip.interop.test.ts',
      'test/baresip-audio.interop.test.ts',
      'test/srtp-calls.interop.test.ts',
      'test/baresip-control.interop.test.ts',
    ],
  },
  {
    name: 'Kamailio',
    program: 'kamailio',
    versionArgs: ['-v'],
    as: 'a proxy on the way: digest, TLS, Record-Route, transfers through it; a registrar',
    files: [
      'src/sip/kamailio.interop.test.ts',
      'src/sip/register.interop.test.ts',
      'test/attended-transfer.interop.test.ts',
    ],
  },
  {
    name: 'Chromium',
    program: 'chromium',
    versionArgs: ['--version'],
    as: "the customer's phone, and the agent's desk",
    files: ['test/page.interop.test.ts', 'test/agent-page.interop.test.ts'],
  },
  {
    name: 'rtpengine',
    program: 'rtpengine',
    versionArgs: ['--version'],
    as: "the customer's side of the media: ICE, DTLS-SRTP, Opus",
    files: ['src/media/rtpengine.interop.test.ts'],
  },
  {
    name: 'opusdec',
    program: 'opusdec',
    versionArgs: ['--version'],
    as: 'a listener of recordings',
    files: ['src/recording/audio-file.interop.test.ts'],
  },
];

type Result = { name: string; outcome: 'passed' | 'failed' | 'skipped' };

const root = dirname(import.meta.dirname);
const word = process.argv[2]?.toLowerCase() ?? null;
const chosen = PEERS.filter(({ name }) => word === null || name.toLowerCase().includes(word));
const sections: string[] = [];
let failed = 0;
for (const peer of chosen) {
  const results = await resultsOf(peer.files);
  failed += results.filter(({ outcome }) => outcome === 'failed').length;
  const passed = results.filter(({ outcome }) => outcome === 'passed').length;
  console.error(`${peer.name}: ${passed} of ${results.length} passed`);
  sections.push(sectionOf(peer, results));
}
const text = `${pageHead()}\n\n${sections.join('\n\n')}\n`;
if (word === null) writeFileSync(join(root, 'docs/reference/interop.md'), text);
else console.log(text);
process.exit(failed === 0 ? 0 : 1);

/** What became of each test of these files, suites left out. */
async function resultsOf(files: readonly string[]): Promise<Result[]> {
  const results: Result[] = [];
  const paths = files.map((file) => join(root, file));
  const stream = run({ files: paths, concurrency: 1, cwd: root, execArgv: [] });
  stream.on('test:pass', ({ name, skip, details }) => {
    if (isOneTest(name, details.type)) {
      results.push({ name, outcome: skip === undefined ? 'passed' : 'skipped' });
    }
  });
  stream.on('test:fail', ({ name, details }) => {
    if (isOneTest(name, details.type)) results.push({ name, outcome: 'failed' });
  });
  for await (const _ of stream);
  return results;
}

/** A file is told like a test of its own name. */
function isOneTest(name: string, type: string | undefined): boolean {
  return type !== 'suite' && !name.endsWith('.test.ts');
}

function pageHead(): string {
  return [
    '<!-- Written by "node bin/interop-page.ts" from a run of the tests; not by hand. -->',
    '',
    '# Interoperability',
    '',
    'What was tried against programs of others by the tests that `npm test` runs, and what came',
    'of it in the run that wrote this page.',
  ].join('\n');
}

function sectionOf(peer: Peer, results: readonly Result[]): string {
  const rows = results.map(
    ({ name, outcome }) => `| ${name.replaceAll('|', '\\|')} | ${outcome} |`,
  );
  return [
    `## ${peer.name} ${versionOf(peer)}`.trim(),
    '',
    `As ${peer.as}.`,
    '',
    '| tried | result |',
    '|---|---|',
    ...rows,
  ].join('\n');
}

/** The first number that looks like a version in what the program says of itself. */
function versionOf({ program, versionArgs }: Peer): string {
  const path = programPath(program);
  if (path === undefined) return '';
  const { stdout, stderr } = spawnSync(path, versionArgs, { encoding: 'utf8', timeout: 10_000 });
  return /\d+\.\d+(\.\d+)*/.exec(`${stdout}${stderr}`)?.[0] ?? '';
}
