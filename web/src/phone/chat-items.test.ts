import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SimCall, SimMessage, SimPerson } from '../../../simulator/control-types.ts';
import { callAnnouncement, chatItems, pastCallText, tapOn } from './chat-items.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 5, 12, 0, second)).toISOString();

function message(id: string, second: number, more: Partial<SimMessage> = {}): SimMessage {
  return {
    id,
    at: at(second),
    phoneNumberId: '1',
    from: 'business',
    kind: 'text',
    header: null,
    text: id,
    footer: null,
    buttons: [],
    status: 'delivered',
    request: null,
    replyTo: null,
    ...more,
  };
}

const call: SimCall = {
  id: 'wacid.1',
  phoneNumberId: '1',
  businessName: 'Askfirst Demo Clinic',
  businessNumber: '+442079460000',
  direction: 'BUSINESS_INITIATED',
  state: 'ended',
  startedAt: at(5),
  ringingAt: at(6),
  answeredAt: at(8),
  endedAt: at(73),
  ending: 'person_hung_up',
  errorCode: null,
  media: 'off',
  heardHz: [],
  everHeardHz: [],
  digitsHeard: '',
  digitsSent: '',
  packetsIn: 0,
  packetsOut: 0,
};

function personWith(more: Partial<SimPerson>): SimPerson {
  return {
    number: '+447700900001',
    name: 'Ada Lovelace',
    about: '',
    interactive: true,
    username: null,
    userId: 'GB.1',
    hidesNumber: false,
    messages: [],
    permissions: [],
    call: null,
    pastCalls: [],
    phoneAttached: false,
    ...more,
  };
}

test('messages and past calls stand in order of time', () => {
  const person = personWith({ messages: [message('a', 1), message('b', 90)], pastCalls: [call] });
  assert.deepEqual(
    chatItems(person).map((item) => item.id),
    ['a', 'wacid.1', 'b'],
  );
});

test('what has not reached the phone is not on its screen', () => {
  const person = personWith({
    messages: [message('sent', 1, { status: 'sent' }), message('failed', 2, { status: 'failed' })],
    pastCalls: [{ ...call, ringingAt: null, answeredAt: null }],
  });
  assert.deepEqual(chatItems(person), []);
});

test('a past call is remembered by its length, as declined, or as missed', () => {
  assert.equal(pastCallText(call), 'Voice call · 1:05');
  const unanswered = { ...call, answeredAt: null };
  assert.equal(pastCallText({ ...unanswered, ending: 'declined' }), 'You declined a voice call');
  assert.equal(pastCallText({ ...unanswered, ending: 'no_answer' }), 'Missed voice call');
});

test('a tap answers the very message its button belongs to', () => {
  const request = message('wamid.1', 1);
  const allow = { text: 'Allow calls', action: 'allow', enabled: true } as const;
  const quick = { text: 'Yes, call me', action: 'tap', enabled: true } as const;
  assert.deepEqual(tapOn(allow, request), { action: 'allow', messageId: 'wamid.1' });
  assert.deepEqual(tapOn(quick, request), {
    action: 'tap',
    text: 'Yes, call me',
    messageId: 'wamid.1',
  });
});

test('a screen reader hears who rings, that the call is up, and how it ended', () => {
  const ringing = personWith({ call: { ...call, state: 'ringing' } });
  assert.equal(callAnnouncement(ringing), 'Incoming call from Askfirst Demo Clinic.');
  const talking = personWith({ call: { ...call, state: 'answered' } });
  assert.equal(callAnnouncement(talking), 'In a call with Askfirst Demo Clinic.');
  assert.equal(callAnnouncement(personWith({ pastCalls: [call] })), 'Voice call · 1:05.');
  assert.equal(callAnnouncement(personWith({})), '');
});
