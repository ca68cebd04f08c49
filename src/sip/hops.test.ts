import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { answer, setStage } from '../../test/sip-peer.ts';
import { seededRandom } from '../platform/random.ts';
import { findTargets, WrongOrder } from './hops.ts';
import { familiesFrom, plainAddress, socketAddress } from './addresses.ts';
import { headerOf } from './message.ts';
import type { Hop, Names, NamingPointer, ServiceRecord } from './wire.ts';

/** Where an INVITE goes (RFC 3263), from made-up names. */
const ZONE: Record<string, ServiceRecord[]> = {
  '_sip._udp.both.example': [{ host: 'u.example', port: 5070, priority: 1, weight: 0 }],
  '_sip._tcp.both.example': [{ host: 't.example', port: 5080, priority: 1, weight: 0 }],
  '_sip._tcp.stream.example': [{ host: 't.example', port: 5080, priority: 1, weight: 0 }],
  '_sips._tcp.both.example': [{ host: 's.example', port: 5443, priority: 1, weight: 0 }],
  '_sip._udp.none.example': [{ host: '.', port: 0, priority: 0, weight: 0 }],
  '_sip._udp.many.example': [
    { host: 'backup.example', port: 5060, priority: 2, weight: 0 },
    { host: 'big.example', port: 5060, priority: 1, weight: 90 },
    { host: 'small.example', port: 5060, priority: 1, weight: 10 },
  ],
};
const pointer = (order: number, service: string, replacement: string): NamingPointer => ({
  order,
  preference: 1,
  flags: 'S',
  service,
  replacement,
});
const POINTERS = [
  pointer(3, 'SIP+D2U', '_sip._udp.both.example'),
  pointer(1, 'SIP+D2S', '_sip._sctp.both.example'),
  pointer(2, 'sips+d2t', '_sips._tcp.both.example'),
  { ...pointer(0, 'SIP+D2T', '_sip._tcp.both.example'), flags: 'u' },
];
const names: Names = {
  addresses: (host) =>
    host === 'gone.example'
      ? Promise.reject(new Error('ENOTFOUND'))
      : Promise.resolve(
          host === 'two.example'
            ? ['192.0.2.1', '2001:db8::1']
            : [isIP(host) === 6 ? plainAddress(host) : `@${host}`],
        ),
  pointers: (domain) => Promise.resolve(domain === 'naptr.example' ? POINTERS : []),
  services: (name) => Promise.resolve(ZONE[name] ?? []),
};

async function targets(uri: string, seed = 1): Promise<string[]> {
  const hops = await findTargets(uri, names, seededRandom(seed));
  return hops.map(textOf);
}

function textOf({ transport, address, port, serverName }: Hop): string {
  return `${transport} ${address}:${port}${serverName === undefined ? '' : ` as ${serverName}`}`;
}

test('an address, a port or an unknown name needs no SRV record', async () => {
  assert.deepEqual(await targets('sip:a@192.0.2.7'), ['udp @192.0.2.7:5060']);
  assert.deepEqual(await targets('sip:a@both.example:5062'), ['udp @both.example:5062']);
  assert.deepEqual(await targets('sip:a@plain.example'), ['udp @plain.example:5060']);
  assert.deepEqual(await targets('sip:a@plain.example;transport=tcp'), ['tcp @plain.example:5060']);
});

test('SRV records give host and port; without a transport UDP is tried before TCP', async () => {
  assert.deepEqual(await targets('sip:a@both.example'), ['udp @u.example:5070']);
  assert.deepEqual(await targets('sip:a@both.example;transport=tcp'), ['tcp @t.example:5080']);
  assert.deepEqual(await targets('sip:a@stream.example'), ['tcp @t.example:5080']);
  assert.deepEqual(await targets('sip:a@none.example'), ['udp @none.example:5060']);
});

test('NAPTR records choose among the transports that we speak', async () => {
  assert.deepEqual(await targets('sip:a@naptr.example'), ['tls @s.example:5443 as naptr.example']);
  // A transport in the URI, a port or an address leave nothing to choose (section 4.1).
  assert.deepEqual(await targets('sip:a@naptr.example;transport=tcp'), ['tcp @naptr.example:5060']);
  assert.deepEqual(await targets('sip:a@naptr.example:5070'), ['udp @naptr.example:5070']);
});

test('a host with several addresses is tried at each, in order', async () => {
  const both = ['udp 192.0.2.1:5060', 'udp 2001:db8::1:5060'];
  assert.deepEqual(await targets('sip:a@two.example'), both);
});

test('over IPv6 every address of ours is written in brackets', async () => {
  const stage = setStage({ names, ownAddress: '2001:db8::9' });
  const { call } = await stage.call({ target: { uri: 'sip:a@[2001:DB8:0::1]:5070' } });
  const invite = stage.last('INVITE');
  assert.match(headerOf(invite, 'via') ?? '', /^SIP\/2\.0\/UDP \[2001:db8::9\]:5060;/);
  assert.match(headerOf(invite, 'contact') ?? '', /@\[2001:db8::9\]:5060>$/);
  assert.match(headerOf(invite, 'from') ?? '', /@\[2001:db8::9\]>;tag=/);
  stage.deliver(answer(invite, 200, { contact: '<sip:pbx@[2001:DB8:0::1]:5070>' }));
  call.hangUp();
  const { address, port } = stage.sent.at(-1)?.hop ?? {};
  assert.deepEqual([address, port], ['2001:db8::1', 5070]);
});

test('addresses have one spelling, and IPv4 over an IPv6 socket is IPv4', () => {
  assert.equal(plainAddress('2001:DB8:0:0::1'), '2001:db8::1');
  assert.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(plainAddress('fe80::1%eth0'), 'fe80::1%eth0');
  assert.equal(socketAddress('192.0.2.1', true), '::ffff:192.0.2.1');
  assert.deepEqual(familiesFrom('::'), [4, 6]);
  assert.deepEqual(familiesFrom('0.0.0.0'), [4]);
});

test('TLS checks the certificate for the name in the URI, not for the SRV target', async () => {
  const expected = ['tls @s.example:5443 as both.example'];
  assert.deepEqual(await targets('sips:a@both.example'), expected);
  assert.deepEqual(await targets('sip:a@both.example;transport=tls'), expected);
  assert.deepEqual(await targets('sips:a@x.example'), ['tls @x.example:5061 as x.example']);
  assert.deepEqual(await targets('sips:a@x.example;transport=tcp'), [
    'tls @x.example:5061 as x.example',
  ]);
});

test('priorities come first, weights decide among equals', async () => {
  const firsts = { 'udp @big.example:5060': 0, 'udp @small.example:5060': 0 };
  for (let seed = 1; seed <= 1000; seed += 1) {
    const found = await targets('sip:a@many.example', seed);
    assert.equal(found.length, 3);
    assert.equal(found[2], 'udp @backup.example:5060');
    firsts[found[0] as keyof typeof firsts] += 1;
  }
  // 10 in 100 give about 100 of 1,000; the bounds are six standard deviations away.
  const small = firsts['udp @small.example:5060'];
  assert.ok(small > 43 && small < 170, `${small} of 1,000`);
});

test('what cannot be sent is a wrong order', async () => {
  for (const uri of [
    'tel:+441',
    'sip:a@h;transport=sctp',
    'sips:a@h;transport=udp',
    'sip:a@h?x=y',
  ]) {
    await assert.rejects(targets(uri), WrongOrder, uri);
  }
  await assert.rejects(targets('sip:a@gone.example'), /ENOTFOUND/);
});

test('a server that says 503, or cannot be reached, is left for the next one', async () => {
  const stage = setStage({ names });
  const { kinds } = await stage.call({ target: { uri: 'sip:a@many.example' } });
  const first = stage.last('INVITE');
  stage.deliver(answer(first, 503));
  const second = stage.last('INVITE');
  assert.notEqual(second, first);
  stage.deliver(answer(second, 180));
  stage.deliver(answer(second, 486));
  assert.deepEqual(kinds(), ['ringing 180', 'failed 486']);
  const hops = stage.sent.filter(({ message }) => message.kind === 'request');
  assert.equal(new Set(hops.map(({ hop }) => hop.address)).size, 2);
});

test('when no server is left the call fails with what the last one said', async () => {
  const stage = setStage({ names });
  const { kinds } = await stage.call({ target: { uri: 'sip:a@many.example' } });
  for (let i = 0; i < 3; i += 1) stage.deliver(answer(stage.last('INVITE'), 503));
  assert.equal(stage.count('INVITE'), 3);
  assert.deepEqual(kinds(), ['failed 503']);
});
