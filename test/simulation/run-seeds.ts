import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { INVARIANTS } from './invariants.ts';
import type { SeedResult } from './run-seed.ts';

/** Plays seeds in child processes side by side, each with a database of its own. */
const PROGRAM = fileURLToPath(new URL('./seeds-main.ts', import.meta.url));

export type SeedsRun = {
  seeds: readonly number[];
  processes: number;
  onResult?: (result: SeedResult, done: number) => void;
};

/** Results in the order of the seeds. Throws when a process ends without having played its own. */
export async function runSeeds(run: SeedsRun): Promise<SeedResult[]> {
  const { seeds, processes, onResult } = run;
  const results: SeedResult[] = [];
  const shares = Array.from({ length: processes }, (_, nth) =>
    seeds.filter((_seed, index) => index % processes === nth),
  );
  await Promise.all(
    shares
      .filter((share) => share.length > 0)
      .map((share) =>
        playShare(share, (result) => {
          results.push(result);
          onResult?.(result, results.length);
        }),
      ),
  );
  return results.sort((a, b) => a.seed - b.seed);
}

async function playShare(
  seeds: readonly number[],
  onResult: (result: SeedResult) => void,
): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, seeds.join()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let played = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{"seed"')) continue;
    onResult(JSON.parse(line) as SeedResult);
    played += 1;
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0 || played < seeds.length) {
    throw new Error(`a process ended with ${code} before seed ${seeds[played]} was over`);
  }
}

/** What somebody needs to see of a seed that found a fault, and to see it again. */
export function tellFault(result: SeedResult): string {
  const [first] = result.violations;
  const says = INVARIANTS.find(({ id }) => id === first?.invariant)?.says ?? '';
  return [
    `seed ${result.seed}, step ${first?.step}: ${first?.invariant} (${says})`,
    first?.fault ?? '',
    '',
    ...result.tail.slice(-25),
    '',
    `Play it again: npm run prove -- simulation --seed ${result.seed} --trace`,
  ].join('\n');
}
