import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { INVARIANTS } from './invariants.ts';
import { MUTATIONS } from './mutations.ts';
import { runSeed } from './run-seed.ts';
import { openStage, type Stage } from './stage.ts';

/** The test of the test: a fault made on purpose must be found, by the invariant it breaks. */
const SEEDS_MAX = 60;
const TIMEOUT_MS = 10 * 60_000;

let stage: Stage;
before(async () => {
  stage = await openStage();
});
after(() => stage.close());

for (const mutation of MUTATIONS) {
  const { invariant, describes, shownBy } = mutation;
  test(`${invariant} finds a product that ${describes}`, { timeout: TIMEOUT_MS }, async () => {
    const inOrder = Array.from({ length: SEEDS_MAX }, (_, index) => index + 1);
    for (const seed of shownBy === undefined ? inOrder : [shownBy, ...inOrder]) {
      const { violations } = await runSeed({ stage, seed, mutation });
      if (violations.some((violation) => violation.invariant === invariant)) return;
    }
    assert.fail(`${SEEDS_MAX} seeds have not found it`);
  });
}

test('every invariant has a mutation that breaks it', () => {
  const broken = new Set(MUTATIONS.map(({ invariant }) => invariant));
  assert.deepEqual(
    INVARIANTS.filter(({ id }) => !broken.has(id)).map(({ id }) => id),
    [],
  );
});
