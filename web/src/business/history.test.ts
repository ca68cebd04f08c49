import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventView, TimelineEntry } from '../../../src/http/api-types.ts';
import { actorWords, entryWords, historyOf } from './history.ts';

const fact: TimelineEntry = {
  sequence: 7,
  type: 'CallRinging',
  actor: 'whatsapp',
  at: '2026-01-05T12:00:03.000Z',
  data: {},
  personal: null,
  erased: false,
};

const told: EventView = {
  id: 'evt_1',
  type: 'call.ringing',
  timestamp: '2026-01-05T12:00:03.000Z',
  sequence: 2,
  callId: 'call_1',
  contactId: 'cont_1',
  data: {},
};

test('facts and events are one history, a fact before the event that tells of it', () => {
  const earlier = {
    ...told,
    id: 'evt_0',
    type: 'call.initiated',
    timestamp: '2026-01-05T12:00:01Z',
  };
  const history = historyOf([fact], [earlier, told]);
  assert.deepEqual(
    history.map((entry) => entry.type),
    ['call.initiated', 'CallRinging', 'call.ringing'],
  );
});

test('known facts read as plain words, unknown ones as the words in their name', () => {
  const [known] = historyOf([fact], []);
  const [unknown] = historyOf([{ ...fact, type: 'LineRestricted' }], []);
  assert.ok(known !== undefined && unknown !== undefined);
  assert.equal(entryWords(known), 'Phone rings');
  assert.equal(entryWords(unknown), 'Line restricted');
});

test('steps of journeys, scores and outcomes are told with what they are', () => {
  const words = (type: string, data: Record<string, unknown>): string => {
    const [entry] = historyOf([{ ...fact, type, data }], []);
    assert.ok(entry !== undefined);
    return entryWords(entry);
  };
  assert.equal(words('RunStepped', { step: 'ask_again' }), 'Step of the journey: ask again');
  assert.equal(words('RunEnded', { end: 'opted_out' }), 'Journey over: opted out');
  assert.equal(words('SurveyAnswered', { score: 4 }), 'Said how the call was: 4 of 5');
  assert.equal(
    words('CallOutcomeSet', { outcome: 'follow_up' }),
    'Outcome written down: follow up',
  );
  assert.equal(words('CallOutcomeSet', { outcome: null }), 'Outcome written down');
});

test('actors are named as a reader would name them', () => {
  assert.equal(actorWords('api:key_0199'), 'the API');
  assert.equal(actorWords('meta'), 'WhatsApp');
  assert.equal(actorWords('customer'), 'customer');
});
