import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRefused } from '../platform/refusal.ts';
import { makeIds } from '../platform/ids.ts';
import { ManualClock } from '../platform/clock.ts';
import { seededRandom } from '../platform/random.ts';
import { armOf, EXPERIMENT_STATES, LAYER_SLOTS, type ExperimentState } from './assignment.ts';
import { moveOf, type ExperimentCommand } from './experiment.ts';

/** Written out by hand, so that a change of the moves has to be meant. */
const TABLE: ReadonlyArray<
  readonly [ExperimentState, Readonly<Record<ExperimentCommand, ExperimentState | 'refused'>>]
> = [
  ['draft', { start: 'running', stop: 'refused', decide: 'refused' }],
  ['running', { start: 'refused', stop: 'stopped', decide: 'decided' }],
  ['stopped', { start: 'refused', stop: 'refused', decide: 'decided' }],
  ['decided', { start: 'refused', stop: 'refused', decide: 'refused' }],
];

test('every state takes the commands that it may, and says the way out of the others', () => {
  assert.deepEqual(TABLE.map(([state]) => state).toSorted(), EXPERIMENT_STATES.toSorted());
  for (const [state, commands] of TABLE) {
    for (const [command, wanted] of Object.entries(commands)) {
      const moved = moveOf(state, command as ExperimentCommand);
      if (wanted !== 'refused') {
        assert.equal(moved, wanted, `${command} of ${state}`);
        continue;
      }
      assert.ok(isRefused(moved), `${command} of ${state}`);
      assert.equal(moved.refused.code, 'experiment_state');
      assert.deepEqual(moved.refused.evidence, { state, command });
      const isOver = state === 'decided' || command === 'start';
      assert.match(moved.refused.fix, isOver ? /Make a new/ : /Start it first|Make a new/);
    }
  }
});

test('what people get and whether they count follows from the state alone', () => {
  const random = seededRandom(31);
  const ids = makeIds(new ManualClock(1_790_000_000_000), random);
  const people = Array.from({ length: 200 }, () => ids.next('contact'));
  const base = {
    key: random.bytes(32),
    layerKey: random.bytes(32),
    slots: [[0, LAYER_SLOTS]] as const,
    arms: ['A', 'B', 'C'].map((name) => ({ name, weight: 1, overrides: { purpose: name } })),
    stoppedArms: ['C'],
    winner: null,
  };
  const seen = (state: ExperimentState, winner: string | null): string[] => {
    const drawn = people.map((id) => armOf({ ...base, state, winner }, id));
    return [...new Set(drawn.map(({ arm, counted }) => `${arm} ${counted}`))].toSorted();
  };
  assert.deepEqual(seen('draft', null), ['A false']);
  // People of the stopped arm get the control, and count nowhere.
  assert.deepEqual(seen('running', null), ['A false', 'A true', 'B true']);
  assert.deepEqual(seen('stopped', null), ['A false']);
  assert.deepEqual(seen('decided', 'B'), ['B false']);
  assert.deepEqual(seen('decided', 'gone'), ['A false']);
});
