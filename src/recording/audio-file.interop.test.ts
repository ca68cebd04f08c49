import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { needsProgram } from '../../test/peers.ts';
import { begin, channel, fileOf, folder, record, share } from './recording-fixtures.ts';

const skip = needsProgram('opusdec', 'opus-tools');

test(
  'the Ogg Opus file is read by the reference decoder, both parties apart',
  { skip },
  async () => {
    const told = begin();
    await record(told);
    const [ogg, wav] = [join(folder, 'a.ogg'), join(folder, 'a.wav')];
    await writeFile(ogg, await fileOf(told.path, 'ogg'));
    await promisify(execFile)('opusdec', ['--rate', '16000', ogg, wav]);
    const heard = await readFile(wav);
    assert.ok(share(channel(heard, 0), 440) > 0.9, 'the customer on the left');
    assert.ok(share(channel(heard, 1), 1000) > 0.9, 'the endpoint on the right');
  },
);
