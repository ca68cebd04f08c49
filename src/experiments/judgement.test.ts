import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, type ArmCount, type JudgedPlan, type Look } from './judgement.ts';
import { peoplePerArm, plainSize } from './plan-size.ts';

const plan: JudgedPlan = {
  arms: [
    { name: 'A', weight: 1 },
    { name: 'B', weight: 1 },
  ],
  plannedPeople: 4_000,
  better: 'more',
  stopped: [],
};

function count(arm: string, counted: number, hits: number, optedOut = 0): ArmCount {
  return { arm, exposed: counted, counted, hits, optedOut };
}

function look(at: number, ...arms: ArmCount[]): Look {
  return { at, arms };
}

test('a share that is far better is found before the planned size', () => {
  const { results } = judge(plan, [
    look(1, count('A', 500, 300), count('B', 500, 310)),
    look(2, count('A', 1_000, 600), count('B', 1_000, 700)),
  ]);
  const [b] = results;
  assert.equal(b?.verdict, 'better');
  assert.equal(b.decidedAt, 2);
  assert.ok(b.interval[0] > 0 && b.interval[1] < 0.2);
});

test('a difference that would do for one look does not do for an early one', () => {
  // z is 2.3 here: beyond the 1.96 of the ordinary test.
  const early = look(1, count('A', 500, 300), count('B', 500, 336));
  const [b] = judge(plan, [early]).results;
  assert.equal(b?.verdict, 'too_early');
  assert.ok(b.interval[0] < 0 && b.interval[1] > 0);
});

test('at the planned size no difference is said to be found, and how large one may be', () => {
  const [b] = judge(plan, [look(9, count('A', 2_000, 1_200), count('B', 2_000, 1_215))]).results;
  assert.equal(b?.verdict, 'no_difference');
  assert.equal(b.decidedAt, 9);
  assert.ok(b.interval[0] < 0 && b.interval[1] > 0);
});

test('a verdict stays what it was when more people come', () => {
  const decided = look(2, count('A', 1_000, 600), count('B', 1_000, 700));
  const later = look(3, count('A', 2_000, 1_300), count('B', 2_000, 1_310));
  const before = judge(plan, [decided]).results;
  assert.deepEqual(judge(plan, [decided, later]).results, before);
});

test('where less is better, a smaller share wins', () => {
  const less = { ...plan, better: 'less' } as const;
  const [b] = judge(less, [look(1, count('A', 2_000, 200), count('B', 2_000, 100))]).results;
  assert.equal(b?.verdict, 'better');
  assert.ok(b.difference < 0);
});

test('K-02: 52 to 48 of ten thousand is an alarm, and 50.5 to 49.5 is none', () => {
  const alarmed = judge(plan, [look(1, count('A', 5_200, 0), count('B', 4_800, 0))]).sampleRatio;
  assert.equal(alarmed?.alarm, true);
  assert.ok(Math.abs(alarmed.chiSquare - 16) < 1e-9);
  assert.ok(alarmed.p < 0.001);
  const calm = judge(plan, [look(1, count('A', 5_050, 0), count('B', 4_950, 0))]).sampleRatio;
  assert.equal(calm?.alarm, false);
});

test('52 to 48 of ten thousand is an alarm also after thirteen calm looks', () => {
  const large = { ...plan, plannedPeople: 10_000 };
  const days = Array.from({ length: 14 }, (_, day) => Math.round(((day + 1) * 5_000) / 14));
  const looks = days.map((half, day) => look(day, count('A', half, 0), count('B', half, 0)));
  looks[13] = look(13, count('A', 5_200, 0), count('B', 4_800, 0));
  assert.equal(judge(large, looks.slice(0, 13)).sampleRatio?.alarm, false);
  assert.equal(judge(large, looks).sampleRatio?.alarm, true);
});

test('sizes that differ because an arm was stopped are no alarm', () => {
  const stopped = { ...plan, stopped: [{ arm: 'B', at: 1 }] };
  const looks = [
    look(1, count('A', 500, 300), count('B', 500, 300)),
    look(2, count('A', 2_000, 1_200), count('B', 500, 300)),
  ];
  assert.equal(judge(plan, looks).sampleRatio?.alarm, true);
  assert.equal(judge(stopped, looks).sampleRatio?.alarm, false);
});

test('an arm whose people opt out far more is harmful; one where they opt out less is not', () => {
  const control = count('A', 500, 300, 10);
  const worse = judge(plan, [look(1, control, count('B', 500, 300, 40))]);
  assert.deepEqual(worse.harmful, ['B']);
  const same = judge(plan, [look(1, control, count('B', 500, 300, 16))]);
  assert.deepEqual(same.harmful, []);
  const fewer = judge(plan, [look(1, count('A', 500, 300, 40), count('B', 500, 300, 4))]);
  assert.deepEqual(fewer.harmful, []);
});

test('an experiment that nobody came into says nothing and breaks nothing', () => {
  assert.deepEqual(judge(plan, []).sampleRatio, null);
  const { results, fraction } = judge(plan, [look(1, count('A', 0, 0), count('B', 0, 0))]);
  assert.equal(results[0]?.verdict, 'too_early');
  assert.equal(fraction, 0);
});

test('the size is the published one, with what looking daily and whole people add', () => {
  // The example of R's power.prop.test: p1 = .50, p2 = .75, power = .90 needs 76.7 in each group.
  const plain = plainSize(0.5, 0.75, { alpha: 0.05, power: 0.9 });
  assert.ok(Math.abs(plain - 76.7) < 0.1, `${plain}`);
  const planned = peoplePerArm({ baseline: 0.6, smallestEffect: 0.05, power: 0.8, arms: 2 });
  assert.ok(planned > 1_530 && planned < 1_700, `${planned}`);
  const three = peoplePerArm({ baseline: 0.6, smallestEffect: 0.05, power: 0.8, arms: 3 });
  assert.ok(three > planned, 'two questions need more people each than one');
});
