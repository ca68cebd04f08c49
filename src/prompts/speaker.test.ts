import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Failure } from '../platform/failure.ts';
import { toneAt, wavOf } from './prompt-fixtures.ts';
import { openSpeaker } from './speaker.ts';

let folder: string;
let program: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'askfirst-say-'));
  const wav = wavOf({ samples: toneAt(440, 8_000, 0.5), rate: 8_000 }).toString('base64');
  program = join(folder, 'say');
  const script = join(folder, 'say.cjs');
  // Tells what it was given by what it does: exit 3 for "fail", nothing for "quiet".
  const lines = [
    "const text = require('node:fs').readFileSync(0, 'utf8');",
    "if (text === 'fail') process.exit(3);",
    "if (process.argv[2] !== 'xx') process.exit(4);",
    'if (process.env.SECRET_OF_OURS) process.exit(5);',
    `if (text !== 'quiet') process.stdout.write(Buffer.from('${wav}', 'base64'));`,
  ];
  await writeFile(script, lines.join('\n'));
  // A first line that names an interpreter cannot name one with a space in its path.
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
  await chmod(program, 0o755);
});
after(() => rm(folder, { recursive: true, force: true }));

const code = (wanted: string) => (error: unknown) =>
  error instanceof Failure && error.code === wanted;

test('a text goes in by stdin and sound comes out; no shell sees it', async () => {
  process.env['SECRET_OF_OURS'] = 'key';
  const speaker = openSpeaker(`${program} {language}`);
  const { samples, rate } = await speaker.speak('$(reboot); "hello"', 'xx');
  delete process.env['SECRET_OF_OURS'];
  assert.deepEqual([samples.length, rate], [4_000, 8_000]);
});

test('a program that fails, is silent or is missing is told by its code', async () => {
  const speaker = openSpeaker(`${program} {language}`);
  await assert.rejects(speaker.speak('fail', 'xx'), code('say_failed'));
  await assert.rejects(speaker.speak('quiet', 'xx'), code('say_failed'));
  await assert.rejects(openSpeaker('/no/such/program').speak('x', 'en'), code('say_failed'));
});

test('where nothing speaks, that is known before any call', async () => {
  for (const speaker of [openSpeaker('off'), openSpeaker('auto', '/no/such/folder')]) {
    assert.equal(speaker.available, false);
    await assert.rejects(speaker.speak('x', 'en'), code('say_unavailable'));
  }
});

test('many texts at once all get their turn', async () => {
  const speaker = openSpeaker(`${program} {language}`);
  const spoken = await Promise.all(
    Array.from({ length: 6 }, async (_, index) => speaker.speak(`text ${index}`, 'xx')),
  );
  assert.equal(spoken.length, 6);
});
