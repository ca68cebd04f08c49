import assert from 'node:assert/strict';
import test from 'node:test';
import {
  CONNECT,
  CONTACT,
  METADATA,
  SDP_ANSWER,
  TERMINATE,
  TERMINATE_ERROR,
  WACID,
  WAMID,
  callStatus,
  delivery,
  permissionReply,
  value,
} from './webhook-fixtures.ts';
import { laneKey, parseWebhook } from './webhook-parse.ts';
import type { WhatsAppFact } from './whatsapp.ts';

const PERSON = {
  waId: '16501230000',
  userId: CONTACT.user_id,
  parentUserId: CONTACT.parent_user_id,
  profileName: 'Anna 😀',
};
const ORIGIN = { wabaId: '102290129340398', phoneNumberId: METADATA.phone_number_id };

function only(rawBody: Buffer): WhatsAppFact {
  const facts = parseWebhook(rawBody);
  assert.equal(facts.length, 1);
  return facts[0] as WhatsAppFact;
}

function message(item: object): WhatsAppFact {
  const head = { from: '16501230000', id: WAMID, timestamp: '1767614400' };
  return only(delivery('messages', value({ messages: [{ ...head, ...item }] })));
}

test('connect of a business-initiated call carries the SDP answer and the callback data', () => {
  assert.deepEqual(only(delivery('calls', value({ calls: [CONNECT] }))), {
    ...ORIGIN,
    key: `call:${WACID}:connect`,
    at: 1_767_614_400_000,
    person: PERSON,
    kind: 'callConnect',
    wacid: WACID,
    opaque: 'call_0199',
    direction: 'business',
    sdp: SDP_ANSWER,
  });
});

test('connect without contacts, number or callback data is still read', () => {
  const bare = { id: WACID, event: 'CONNECT', timestamp: 1_767_614_400, session: CONNECT.session };
  const fact = only(delivery('calls', { metadata: METADATA, calls: [bare] }));
  assert.equal(fact.kind, 'callConnect');
  assert.deepEqual(fact.person, {});
  assert.equal(fact.at, 1_767_614_400_000);
  assert.equal(laneKey(fact), `${METADATA.phone_number_id}/${WACID}`);
});

test('a person known only by a business-scoped user id is named by it', () => {
  const call = { ...CONNECT, to: undefined, to_parent_user_id: 'US.ENT.1' };
  const fact = only(delivery('calls', value({ calls: [call], contacts: undefined })));
  assert.deepEqual(fact.person, { userId: CONTACT.user_id, parentUserId: 'US.ENT.1' });
  assert.equal(laneKey(fact), `${METADATA.phone_number_id}/${CONTACT.user_id}`);
});

test('the business number is never taken for the person when from and to are swapped', () => {
  const call = { ...CONNECT, from: CONNECT.to, to: CONNECT.from, to_user_id: undefined };
  assert.equal(only(delivery('calls', value({ calls: [call] }))).person.waId, '16501230000');
});

test('connect of a user-initiated call names the caller', () => {
  const call = {
    id: WACID,
    from: '16501230000',
    from_user_id: CONTACT.user_id,
    to: '15551112222',
    event: 'connect',
    direction: 'USER_INITIATED',
    timestamp: '1767614400',
    session: { sdp_type: 'offer', sdp: 'v=0\r\n' },
  };
  const fact = only(delivery('calls', value({ calls: [call] })));
  assert.ok(fact.kind === 'callConnect' && fact.direction === 'user');
  assert.equal(fact.person.waId, '16501230000');
});

test('connect with the legacy SDP alone is recorded as unknown', () => {
  const { session: _session, ...legacy } = CONNECT;
  const fact = only(delivery('calls', value({ calls: [legacy] })));
  assert.ok(fact.kind === 'unknown' && fact.field === 'calls.connect');
});

for (const status of ['RINGING', 'ACCEPTED', 'REJECTED', 'Ringing', 'accepted']) {
  test(`call status ${status} is read whatever its case`, () => {
    const fact = only(delivery('calls', value({ statuses: [callStatus(status)] })));
    assert.ok(fact.kind === 'callStatus');
    assert.equal(fact.status, status.toLowerCase());
    assert.equal(fact.opaque, 'call_0199');
    assert.equal(fact.key, `call:${WACID}:status:${status.toLowerCase()}`);
    assert.deepEqual(fact.person, PERSON);
  });
}

test('a call status nobody has documented is recorded by name', () => {
  const fact = only(delivery('calls', value({ statuses: [callStatus('ON_HOLD')] })));
  assert.ok(fact.kind === 'unknown' && fact.field === 'calls.statuses.on_hold');
});

test('terminate of an answered call has times and duration', () => {
  const fact = only(delivery('calls', value({ calls: [TERMINATE] })));
  assert.ok(fact.kind === 'callTerminate');
  assert.equal(fact.completed, true);
  assert.equal(fact.startedAt, 1_767_614_410_000);
  assert.equal(fact.endedAt, 1_767_614_520_000);
  assert.equal(fact.durationSeconds, 110);
  assert.deepEqual(fact.errors, []);
});

test('terminate takes an array status, integer times and a text duration', () => {
  const call = { ...TERMINATE, status: ['Completed'], start_time: 1_767_614_410, duration: '110' };
  const fact = only(delivery('calls', value({ calls: [call] })));
  assert.ok(fact.kind === 'callTerminate' && fact.completed);
  assert.deepEqual([fact.startedAt, fact.durationSeconds], [1_767_614_410_000, 110]);
});

test('errors of a failed call are read beside it and inside it', () => {
  const failed = { id: WACID, event: 'terminate', status: 'FAILED', timestamp: '1767614520' };
  const beside = only(delivery('calls', value({ calls: [failed], errors: [TERMINATE_ERROR] })));
  const inside = only(
    delivery('calls', value({ calls: [{ ...failed, errors: [TERMINATE_ERROR] }] })),
  );
  for (const fact of [beside, inside]) {
    assert.ok(fact.kind === 'callTerminate' && !fact.completed);
    assert.equal(fact.durationSeconds, null);
    assert.deepEqual(fact.errors, [
      { code: 138021, message: 'No media', details: 'The client got no media for long.' },
    ]);
  }
});

test('newer call events are recorded by name', () => {
  for (const event of [
    'call_recording_available',
    'call_transcription_available',
    'call_created',
  ]) {
    const fact = only(delivery('calls', value({ calls: [{ id: WACID, event }] })));
    assert.ok(fact.kind === 'unknown' && fact.field === `calls.${event}`);
    assert.equal(fact.key, `call:${WACID}:${event}`);
  }
});

const REPLIES = [
  {
    name: 'allowed for seven days from our request',
    reply: {
      response: 'accept',
      is_permanent: false,
      expiration_timestamp: '1768219200',
      response_source: 'user_action',
    },
    contextId: 'wamid.request',
    expected: {
      response: 'accept',
      permanent: false,
      expiresAt: 1_768_219_200_000,
      source: 'user',
    },
  },
  {
    name: 'always allowed from our request',
    reply: { response: 'accept', is_permanent: true, response_source: 'user_action' },
    contextId: 'wamid.request',
    expected: { response: 'accept', permanent: true, expiresAt: null, source: 'user' },
  },
  {
    name: 'always allowed in the business profile',
    reply: { response: 'accept', is_permanent: true, response_source: 'user_action' },
    expected: { response: 'accept', permanent: true, expiresAt: null, source: 'user' },
  },
  {
    name: 'declined',
    reply: { response: 'reject', response_source: 'user_action' },
    contextId: 'wamid.request',
    expected: { response: 'reject', permanent: false, expiresAt: null, source: 'user' },
  },
  {
    name: 'given by calling us, with an integer time',
    reply: {
      response: 'ACCEPT',
      is_permanent: false,
      expiration_timestamp: 1_768_219_200,
      response_source: 'automatic',
    },
    contextId: WACID,
    expected: {
      response: 'accept',
      permanent: false,
      expiresAt: 1_768_219_200_000,
      source: 'automatic',
    },
  },
  {
    name: 'revoked after unanswered calls',
    reply: { response: 'reject', response_source: 'automatic' },
    expected: { response: 'reject', permanent: false, expiresAt: null, source: 'automatic' },
  },
] as const;

for (const { name, reply, expected, ...rest } of REPLIES) {
  test(`permission reply: ${name}`, () => {
    const contextId = 'contextId' in rest ? rest.contextId : undefined;
    const item = permissionReply(reply, contextId);
    assert.deepEqual(only(delivery('messages', value({ messages: [item] }))), {
      ...ORIGIN,
      key: `msg:${WAMID}`,
      at: 1_767_614_400_000,
      person: PERSON,
      kind: 'permissionReply',
      messageId: WAMID,
      ...expected,
      ...(contextId === undefined ? {} : { contextId }),
    });
  });
}

test('a permission reply with an unknown answer grants nothing', () => {
  const item = permissionReply({ response: 'maybe', is_permanent: true });
  const fact = only(delivery('messages', value({ messages: [item] })));
  assert.ok(fact.kind === 'unknown' && fact.field === 'messages.call_permission_reply');
});

test('the quick reply of a template is a button reply', () => {
  const fact = message({
    type: 'button',
    button: { text: 'Allow calls', payload: 'allow' },
    context: { id: 'wamid.template' },
  });
  assert.ok(fact.kind === 'buttonReply');
  assert.deepEqual(
    [fact.text, fact.payload, fact.contextId],
    ['Allow calls', 'allow', 'wamid.template'],
  );
});

for (const type of ['button_reply', 'list_reply']) {
  test(`an interactive ${type} is a button reply with the id as payload`, () => {
    const interactive = { type, [type]: { id: 'later', title: 'Not now' } };
    const fact = message({ type: 'interactive', interactive });
    assert.ok(fact.kind === 'buttonReply');
    assert.deepEqual([fact.text, fact.payload], ['Not now', 'later']);
  });
}

test('a text is a text', () => {
  const fact = message({ type: 'text', text: { body: 'STOP' } });
  assert.ok(fact.kind === 'text' && fact.text === 'STOP' && fact.contextId === undefined);
});

test('other message types are recorded by name and keep the person', () => {
  const fact = message({ type: 'audio', audio: { id: '1' } });
  assert.ok(fact.kind === 'unknown' && fact.field === 'messages.audio');
  assert.equal(fact.person.waId, '16501230000');
});

test('message statuses carry errors and callback data', () => {
  for (const status of ['sent', 'delivered', 'read', 'failed', 'played']) {
    const item = {
      id: WAMID,
      status,
      timestamp: '1767614400',
      recipient_id: '16501230000',
      biz_opaque_callback_data: 'msg_0199',
      ...(status === 'failed' ? { errors: [{ code: 131047, title: 'Re-engagement' }] } : {}),
    };
    const fact = only(delivery('messages', value({ statuses: [item] })));
    assert.ok(fact.kind === 'messageStatus');
    assert.equal(fact.status, status === 'played' ? 'read' : status);
    assert.equal(fact.key, `mstatus:${WAMID}:${status}`);
    assert.equal(fact.opaque, 'msg_0199');
    assert.equal(fact.errors[0]?.code, status === 'failed' ? 131047 : undefined);
  }
});

test('a template decision names template, language and reason', () => {
  const update = {
    event: 'REJECTED',
    message_template_id: 1_689_556_908_129_832,
    message_template_name: 'ask_to_call',
    message_template_language: 'en_US',
    reason: 'INVALID_FORMAT',
  };
  const fact = only(delivery('message_template_status_update', update, { time: 1_767_614_400 }));
  assert.ok(fact.kind === 'templateStatus');
  assert.deepEqual(
    [fact.name, fact.language, fact.event, fact.reason, fact.at],
    ['ask_to_call', 'en_US', 'REJECTED', 'INVALID_FORMAT', 1_767_614_400_000],
  );
  const approved = { ...update, event: 'APPROVED', reason: 'NONE' };
  const other = only(delivery('message_template_status_update', approved));
  assert.ok(other.kind === 'templateStatus' && other.reason === undefined);
  assert.notEqual(other.key, fact.key);
});

test('quality and category of a template are told apart by their shape', () => {
  const named = {
    message_template_id: 806_312_974_732_579,
    message_template_name: 'ask_to_call',
    message_template_language: 'en-US',
  };
  const quality = { ...named, previous_quality_score: 'GREEN', new_quality_score: 'red' };
  for (const field of ['message_template_status_update', 'message_template_quality_update']) {
    const fact = only(delivery(field, quality));
    assert.ok(fact.kind === 'templateQuality');
    assert.deepEqual([fact.quality, fact.language], ['RED', 'en_US']);
    assert.equal(fact.metaId, '806312974732579');
  }
  const category = { ...named, previous_category: 'UTILITY', new_category: 'MARKETING' };
  const moved = only(delivery('template_category_update', category));
  assert.ok(moved.kind === 'templateCategory' && moved.comingCategory === undefined);
  assert.equal(moved.category, 'MARKETING');
  const ahead = { ...named, new_category: 'UTILITY', correct_category: 'MARKETING' };
  const coming = only(delivery('template_category_update', ahead));
  assert.ok(coming.kind === 'templateCategory' && coming.comingCategory === 'MARKETING');
});

test('an account restriction names type, end and business number', () => {
  const update = {
    phone_number: '15551112222',
    event: 'ACCOUNT_RESTRICTION',
    restriction_info: [
      { restriction_type: 'RESTRICTED_BUSINESS_INITIATED_CALLING', expiration: '1768219200' },
    ],
  };
  const fact = only(delivery('account_update', update, { id: '0' }));
  assert.ok(fact.kind === 'accountUpdate');
  assert.equal(fact.displayNumber, '15551112222');
  assert.deepEqual(fact.restrictions, [
    { type: 'RESTRICTED_BUSINESS_INITIATED_CALLING', expiresAt: 1_768_219_200_000 },
  ]);
});

test('an account warning names the violation', () => {
  const update = {
    event: 'ACCOUNT_VIOLATION',
    violation_info: { violation_type: 'LOW_BUSINESS_INITIATED_CALLING_QUALITY' },
  };
  const fact = only(delivery('account_update', update));
  assert.ok(fact.kind === 'accountUpdate');
  assert.equal(fact.violation, 'LOW_BUSINESS_INITIATED_CALLING_QUALITY');
});

test('a settings update names the line', () => {
  const update = {
    messaging_product: 'whatsapp',
    timestamp: '1767614400',
    type: 'phone_number_settings',
    phone_number_settings: { phone_number_id: '105615555715855', calling: { status: 'ENABLED' } },
  };
  const fact = only(delivery('account_settings_update', update));
  assert.equal(fact.kind, 'settingsUpdate');
  assert.equal(fact.phoneNumberId, '105615555715855');
});

test('a field nobody has documented is recorded by name', () => {
  const fact = only(delivery('phone_number_quality_update', { event: 'FLAGGED' }));
  assert.ok(fact.kind === 'unknown' && fact.field === 'phone_number_quality_update');
});
