import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, PEER, setStage, type SipStage, type StagedCall } from '../../test/sip-peer.ts';
import { digestHeader, parseChallenge } from './digest.ts';
import { headerOf, headersOf, type SipHeader } from './message.ts';
import type { SipTarget } from './sip.ts';
import type { Hop } from './wire.ts';

const TARGET: SipTarget = { uri: 'sip:100@192.0.2.1', username: 'gw', password: 'secret' };
const CHALLENGE = 'Digest realm="pbx", nonce="n1", qop="auth", algorithm=';

type Dialled = Omit<SipStage, 'call'> & StagedCall;

async function dial(target: SipTarget = TARGET): Promise<Dialled> {
  const stage = setStage();
  const staged = await stage.call({ target });
  return { ...stage, ...staged };
}

function challenge(stage: Dialled, text: string | string[], status = 401, from: Hop = PEER): void {
  const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
  const headers = [text].flat().map((value): SipHeader => [name, value]);
  stage.deliver(answer(stage.last('INVITE'), status, { headers }), from);
}

test('the examples of RFC 7616 section 3.9.1 come out, for MD5 and SHA-256', () => {
  const input = {
    username: 'Mufasa',
    password: 'Circle of Life',
    method: 'GET',
    uri: '/dir/index.html',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    use: 1,
  };
  const rest =
    'realm="http-auth@example.org", qop="auth, auth-int", ' +
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ' +
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
  const expected = {
    MD5: '8ca523f5e9506fed4657c9700eebdbec',
    'SHA-256': '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  };
  for (const [algorithm, response] of Object.entries(expected)) {
    const parsed = parseChallenge(`Digest ${rest}, algorithm=${algorithm}`);
    assert.ok(parsed !== undefined);
    const header = digestHeader(parsed, input);
    assert.match(header, new RegExp(`response="${response}"`));
    assert.match(header, /qop=auth, nc=00000001, cnonce="/);
  }
});

test('a challenge without qop is answered in the form of RFC 2069', () => {
  const parsed = parseChallenge('Digest realm="r", nonce="n"');
  assert.ok(parsed !== undefined);
  const input = { username: 'u', password: 'p', method: 'M', uri: 'sip:x', cnonce: 'c', use: 1 };
  const header = digestHeader(parsed, input);
  assert.doesNotMatch(header, /qop|cnonce|nc=/);
  assert.match(header, /algorithm=MD5/);
});

test('a 401 or 407 of the target is answered; ACK and BYE carry credentials as well', async () => {
  for (const [status, name] of [
    [401, 'authorization'],
    [407, 'proxy-authorization'],
  ] as const) {
    const stage = await dial();
    challenge(stage, `${CHALLENGE}SHA-256`, status);
    const invite = stage.last('INVITE');
    assert.match(headerOf(invite, name) ?? '', /username="gw".*algorithm=SHA-256.*nc=00000001/);
    assert.doesNotMatch(JSON.stringify(invite.headers), /secret/);
    assert.match(headerOf(invite, 'cseq') ?? '', /^2 /);
    stage.deliver(answer(invite, 200));
    assert.equal(headerOf(stage.last('ACK'), name), headerOf(invite, name));
    stage.call.hangUp();
    assert.match(headerOf(stage.last('BYE'), name) ?? '', /nc=00000002/);
    assert.deepEqual(stage.kinds(), ['answered', 'ended by us']);
  }
});

test('a proxy and the PBX behind it may each ask once', async () => {
  const stage = await dial();
  challenge(stage, `${CHALLENGE}MD5`, 407);
  challenge(stage, 'Digest realm="inner", nonce="n2", qop="auth", algorithm=MD5', 401);
  const invite = stage.last('INVITE');
  assert.equal(headersOf(invite, 'proxy-authorization').length, 1);
  assert.equal(headersOf(invite, 'authorization').length, 1);
});

test('the strongest algorithm offered is used', async () => {
  const stage = await dial();
  challenge(stage, [`${CHALLENGE}MD5`, `${CHALLENGE}SHA-256`]);
  assert.match(headerOf(stage.last('INVITE'), 'authorization') ?? '', /algorithm=SHA-256/);
});

test('a stale nonce is replaced, once', async () => {
  const stage = await dial();
  challenge(stage, `${CHALLENGE}MD5`);
  challenge(stage, 'Digest realm="pbx", nonce="n2", qop="auth", stale=TRUE');
  assert.match(headerOf(stage.last('INVITE'), 'authorization') ?? '', /nonce="n2"/);
  challenge(stage, 'Digest realm="pbx", nonce="n3", qop="auth", stale=TRUE');
  assert.equal(stage.count('INVITE'), 3);
  assert.deepEqual(stage.kinds(), ['failed 401']);
});

const SECOND = 'Digest realm="pbx", qop="auth", algorithm=';
const UNANSWERED: [string, (stage: Dialled) => void, SipTarget?][] = [
  ['from another host', (stage) => challenge(stage, `${CHALLENGE}MD5`, 401, other('192.0.2.66'))],
  ['from another network', (stage) => challenge(stage, `${CHALLENGE}MD5`, 407, other('127.0.0.1'))],
  [
    'of another realm',
    (stage) => challenge(stage, `${CHALLENGE}MD5`),
    { ...TARGET, realm: 'ours' },
  ],
  [
    'without credentials to give',
    (stage) => challenge(stage, `${CHALLENGE}MD5`),
    { uri: TARGET.uri },
  ],
  [
    'with auth-int only',
    (stage) => challenge(stage, 'Digest realm="a", nonce="n", qop="auth-int"'),
  ],
  ['with an unknown algorithm', (stage) => challenge(stage, `${CHALLENGE}SHA-512`)],
  ['with a -sess algorithm', (stage) => challenge(stage, `${CHALLENGE}MD5-sess`)],
  ['without a nonce', (stage) => challenge(stage, 'Digest realm="a", qop="auth"')],
  ['with an empty nonce', (stage) => challenge(stage, 'Digest realm="a", nonce=""')],
  ['with two realms', (stage) => challenge(stage, 'Digest realm="a", realm="b", nonce="n"')],
  ['of another scheme', (stage) => challenge(stage, 'Basic realm="pbx"')],
  ['without any challenge', (stage) => stage.deliver(answer(stage.last('INVITE'), 401))],
  ['with an open quote', (stage) => challenge(stage, 'Digest realm="a, nonce="n"')],
];
for (const [what, act, target] of UNANSWERED) {
  test(`a challenge ${what} is not answered`, async () => {
    const stage = await dial(target);
    act(stage);
    assert.equal(stage.count('INVITE'), 1);
    assert.match(stage.kinds().join(), /^failed 40[17]$/);
  });
}

const AFTER_FIRST: [string, string][] = [
  ['the same nonce again', `${SECOND}SHA-256, nonce="n1"`],
  ['the same nonce called stale', `${SECOND}SHA-256, nonce="n1", stale=true`],
  ['a new nonce without stale: the password is wrong', `${SECOND}SHA-256, nonce="n2"`],
  ['a weaker algorithm', `${SECOND}MD5, nonce="n2", stale=true`],
];
for (const [what, text] of AFTER_FIRST) {
  test(`after one answer, ${what} gets no second one`, async () => {
    const stage = await dial();
    challenge(stage, `${CHALLENGE}SHA-256`);
    challenge(stage, text);
    assert.equal(stage.count('INVITE'), 2);
    assert.deepEqual(stage.kinds(), ['failed 401']);
  });
}

test('a BYE toward another host carries no credentials and answers no challenge', async () => {
  const stage = await dial();
  challenge(stage, `${CHALLENGE}MD5`);
  const contact = '<sip:pbx@192.0.2.66>';
  stage.deliver(answer(stage.last('INVITE'), 200, { contact }));
  stage.call.hangUp();
  for (const method of ['ACK', 'BYE']) {
    assert.equal(headerOf(stage.last(method), 'authorization'), undefined, method);
  }
  const headers: SipHeader[] = [['WWW-Authenticate', 'Digest realm="x", nonce="y"']];
  stage.deliver(answer(stage.last('BYE'), 401, { headers }), other('192.0.2.66'));
  assert.equal(stage.count('BYE'), 1);
});

test('a challenged BYE is sent again with credentials', async () => {
  const stage = await dial();
  stage.deliver(answer(stage.last('INVITE'), 200));
  stage.call.hangUp();
  const headers: SipHeader[] = [['WWW-Authenticate', `${CHALLENGE}MD5`]];
  stage.deliver(answer(stage.last('BYE'), 401, { headers }));
  assert.match(headerOf(stage.last('BYE'), 'authorization') ?? '', /nonce="n1"/);
  assert.match(headerOf(stage.last('BYE'), 'cseq') ?? '', /^3 BYE/);
  stage.deliver(answer(stage.last('BYE'), 200));
  stage.clock.advance(200_000);
  assert.equal(stage.core.liveCount, 0);
});

function other(address: string): Hop {
  return { ...PEER, address };
}
