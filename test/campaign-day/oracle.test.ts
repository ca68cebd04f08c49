import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SimCall, SimMessage, SimPerson } from '../../simulator/control-types.ts';
import { seededRandom } from '../../src/platform/random.ts';
import { drawPlayer, type DayLine, type Player } from './cast.ts';
import { faultsOf } from './oracle.ts';

/** That the oracle of the day can find each thing it looks for. */
const LINE = '100000000000003';
const line = { id: 'ln_1', phoneNumberId: LINE, business: { lawful: true } } as DayLine;
const player: Player = {
  ...drawPlayer(seededRandom(1), 1),
  ...{ kind: 'talks', country: 'GB', yesMs: 2_000, noMs: null },
};

const at = (time: string): string => `2026-06-03T${time}:00.000Z`;
const asked = (time: string, answeredAt: string | null): SimMessage =>
  ({
    at: at(time),
    phoneNumberId: LINE,
    from: 'business',
    kind: 'permission_request',
    text: '',
    request: { state: answeredAt === null ? 'open' : 'allowed', answeredAt, openUntil: '' },
  }) as SimMessage;
const stop = (time: string): SimMessage =>
  ({ at: at(time), phoneNumberId: LINE, from: 'person', kind: 'text', text: 'STOP' }) as SimMessage;
const ring = (time: string): SimCall =>
  ({
    phoneNumberId: LINE,
    direction: 'BUSINESS_INITIATED',
    startedAt: at(time),
    answeredAt: null,
  }) as SimCall;

function told(messages: SimMessage[], pastCalls: SimCall[], more: object = {}): string {
  const person = { number: player.number, messages, pastCalls } as unknown as SimPerson;
  return faultsOf({ player, person, lines: [line], movedAt: Infinity, ...more }).join('\n');
}

test('a call within a day of its yes, at an hour to call, is no fault', () => {
  assert.equal(told([asked('10:00', at('10:01'))], [ring('11:00')]), '');
});

const FAULTS: ReadonlyArray<readonly [string, RegExp, string]> = [
  ['no yes', /without a yes/, told([asked('10:00', null)], [ring('11:00')])],
  [
    'two rings on one yes',
    /rang 2 times on 1/,
    told([asked('10:00', at('10:01'))], [ring('11:00'), ring('12:00')]),
  ],
  [
    'a ring after a stop',
    /after STOP/,
    told([asked('10:00', at('10:01')), stop('10:30')], [ring('11:00')]),
  ],
  [
    'a question after a stop',
    /asked at .* after STOP/,
    told([stop('09:00'), asked('10:00', null)], []),
  ],
  ['two questions', /asked twice/, told([asked('10:00', null), asked('12:00', null)], [])],
  [
    'the middle of the night',
    /no hour to call/,
    told([asked('10:00', at('10:01'))], [ring('21:30')]),
  ],
  [
    'the night of the new place',
    /no hour to call/,
    told([asked('10:00', at('10:01'))], [ring('18:00')], { movedAt: 0 }),
  ],
  [
    'a listed person',
    /is listed/,
    told([asked('10:00', null)], [], { player: { ...player, kind: 'listed' } }),
  ],
  [
    'a ring after it was taken back',
    /taken back/,
    told([asked('10:00', at('10:01'))], [ring('11:00')], {
      player: { ...player, kind: 'revokes', noMs: 60_000 },
    }),
  ],
];

for (const [name, says, faults] of FAULTS) {
  test(`${name} is found`, () => assert.match(faults, says));
}
