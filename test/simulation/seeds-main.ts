import { invariant } from '../../src/platform/invariant.ts';
import { MUTATIONS } from './mutations.ts';
import { runSeed } from './run-seed.ts';
import { openStage } from './stage.ts';

/**
 * A process that plays seeds and tells one JSON line for each:
 *
 *   node seeds-main.ts 1,2,3 [mutation or -] [trace or -]
 */
const [list = '', wanted = '-', mode] = process.argv.slice(2);
const mutation = MUTATIONS.find(({ invariant: id }) => id === wanted) ?? null;
invariant(wanted === '-' || mutation !== null, `there is no mutation ${wanted}`);
const onLine = mode === 'trace' ? (line: string) => void process.stdout.write(`${line}\n`) : null;
const stage = await openStage();
try {
  for (const seed of list.split(',').map(Number)) {
    const result = await runSeed({ stage, seed, mutation, onLine });
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  await stage.clear();
  await stage.verify();
} finally {
  await stage.close();
}
