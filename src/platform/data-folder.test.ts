import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { openDataFolder } from './data-folder.ts';
import { Failure } from './failure.ts';
import { seededRandom } from './random.ts';

async function place(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'askfirst folder '));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

test('the folder and the keys are for their owner only', async (t) => {
  const path = join(await place(t), 'deep', '.askfirst');
  const folder = await openDataFolder(path);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  assert.equal((await stat(join(path, 'secrets.json'))).mode & 0o777, 0o600);
  await folder.release();
});

test('the keys are made once and stay the same', async (t) => {
  const path = join(await place(t), '.askfirst');
  const first = await openDataFolder(path, seededRandom(1));
  await first.release();
  const second = await openDataFolder(path, seededRandom(2));
  await second.release();
  assert.deepEqual(second.secrets, first.secrets);
  const { dataKey, doNotCallKey, ledgerKey } = first.secrets;
  assert.equal(
    new Set([dataKey, doNotCallKey, ledgerKey].map((key) => key.toString('hex'))).size,
    3,
  );
  assert.equal(dataKey.length, 32);
});

test('a second opener is told who holds the folder, also through a link', async (t) => {
  const here = await place(t);
  const path = join(here, '.askfirst');
  const folder = await openDataFolder(path);
  await symlink(path, join(here, 'link'));
  for (const name of [path, join(here, 'link')]) {
    await assert.rejects(openDataFolder(name), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, 'data_folder_in_use');
      assert.match(error.message, new RegExp(`process ${process.pid}`));
      assert.match(error.fix, /ASKFIRST_DATA_DIR/);
      return true;
    });
  }
  await folder.release();
  await (await openDataFolder(path)).release();
});

test('a killed holder leaves the folder free', async (t) => {
  const path = join(await place(t), '.askfirst');
  const source = `
    import { openDataFolder } from './data-folder.ts';
    await openDataFolder(process.argv[1]);
    process.stdout.write('held');
    process.stdin.resume();
  `;
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', source, path], {
    cwd: import.meta.dirname,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  await assert.rejects(openDataFolder(path), { code: 'data_folder_in_use' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  await (await openDataFolder(path)).release();
});

test('damaged keys are never replaced by new ones', async (t) => {
  const path = join(await place(t), '.askfirst');
  await (await openDataFolder(path)).release();
  const file = join(path, 'secrets.json');
  for (const damage of ['', '{', '{"dataKey":"c2hvcnQ="}', 'null']) {
    await writeFile(file, damage);
    await assert.rejects(openDataFolder(path), { code: 'secrets_unreadable' });
    assert.equal(await readFile(file, 'utf8'), damage);
  }
});

test('a path that is a file is refused with the fix', async (t) => {
  const path = join(await place(t), 'file');
  await writeFile(path, '');
  await assert.rejects(openDataFolder(path), { code: 'data_folder_not_writable' });
});
