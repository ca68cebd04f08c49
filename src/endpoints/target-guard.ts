import { BlockList, isIP } from 'node:net';
import { type Refused } from '../platform/refusal.ts';
import { parseSipUri, uriScheme, type SipUri } from '../sip/uri.ts';

/**
 * The VoIP guard: Meta forbids the telephone network on every leg of a call, so each address that
 * a call may go to passes here first: when an endpoint is saved, at the dial, at a redirect (3xx)
 * and at a transfer (REFER). Pure: text and settings in, the address or the reason out.
 */
export type GuardSettings = {
  /**
   * Hosts that may be called, or null for any: a name, `*.name`, an address or a network in CIDR
   * form, each with an optional `:port`. Every list must allow the host.
   */
  allowedHosts: ReadonlyArray<readonly string[]>;
  /**
   * A user part that begins so and is a telephone number is taken for one: `+`, `00`. A PBX that
   * numbers its own desks like that empties the list for its account.
   */
  pstnPrefixes: readonly string[];
};

/** Nothing listed, and numbers with an international prefix taken for telephone numbers. */
export const OPEN_GUARD: GuardSettings = { allowedHosts: [], pstnPrefixes: ['+', '00'] };

/** End codes and refusal codes share these two words. */
export type GuardCode = 'target_not_voip' | 'target_not_allowed';

/** The shortest run of digits that is a telephone number; desks have fewer. */
const PHONE_DIGITS_MIN = 7;
/** RFC 3966 parameters in the user part, and those of trunks (RFC 4904, RFC 4694). */
const PHONE_PARAMETERS = ['phone-context', 'isub', 'postd', 'tgrp', 'trunk-context', 'rn', 'npdi'];

/**
 * The parsed address when a call may go there. A refusal names the broken rule in
 * `evidence.rule`; its code is a `GuardCode`.
 */
export function guardTarget(uri: string, settings: GuardSettings): SipUri | Refused {
  const scheme = uriScheme(uri);
  if (scheme !== undefined && scheme !== 'sip' && scheme !== 'sips') {
    return notVoip(`\`${scheme}:\` is no VoIP address`, scheme);
  }
  const target = parseSipUri(uri);
  if (target === undefined) return notVoip('is no SIP address', 'not SIP');
  return (
    hiddenTurn(target) ??
    telephoneNumber(target, settings) ??
    foreignHost(target, settings) ??
    target
  );
}

/**
 * The guard for an address that the other side named (3xx, REFER). Where nobody wrote a list, only
 * hosts of the account's own endpoints may be named: a stranger's word opens no new place.
 */
export function guardNamedByPeer(
  uri: string,
  settings: GuardSettings,
  ownUris: readonly string[],
): SipUri | Refused {
  if (settings.allowedHosts.length > 0) return guardTarget(uri, settings);
  const own = ownUris.flatMap((text) => parseSipUri(text)?.host ?? []);
  return guardTarget(uri, { ...settings, allowedHosts: [own] });
}

/** Parts of a URI that lead elsewhere than its host says. */
function hiddenTurn({ headers, parameters }: SipUri): Refused | null {
  if (headers !== '') return notVoip('carries header fields after `?`', 'headers');
  if (parameters.get('user')?.toLowerCase() === 'phone') {
    return notVoip('says `user=phone`: it is a telephone number', 'user=phone');
  }
  const turn = ['maddr', 'method', 'postd', 'phone-context'].find((name) => parameters.has(name));
  return turn === undefined ? null : notVoip(`carries the parameter \`${turn}\``, turn);
}

function telephoneNumber({ user }: SipUri, settings: GuardSettings): Refused | null {
  const plain = decoded(user ?? '');
  if (plain === null) return notVoip('has a user part with broken escapes', 'escapes');
  const [name = '', ...parameters] = plain.toLowerCase().split(';');
  const named = PHONE_PARAMETERS.find((word) =>
    parameters.some((text) => text === word || text.startsWith(`${word}=`)),
  );
  if (named !== undefined) return notVoip(`carries \`${named}\` of a telephone number`, named);
  // RFC 3966 section 5.1.1: dots, hyphens, brackets and blanks only please the eye.
  const digits = name.replace(/[-.() ]/g, '');
  const isNumber = /^\+?[0-9*#]+$/.test(digits) && digits.length >= PHONE_DIGITS_MIN;
  const prefix = settings.pstnPrefixes.find((text) => digits.startsWith(text));
  if (!isNumber || prefix === undefined) return null;
  return {
    refused: {
      code: 'target_not_voip',
      message: `The address begins with ${prefix} and is a telephone number: a PSTN gateway.`,
      fix:
        'Use the VoIP name or extension of the desk. If your PBX names its own desks like that, ' +
        'take the prefix out of pstnPrefixes (PUT /v1/voip-guard).',
      evidence: { rule: `is a telephone number (prefix ${prefix})` },
    },
  };
}

function foreignHost({ host, port }: SipUri, { allowedHosts }: GuardSettings): Refused | null {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (allowedHosts.every((list) => list.some((entry) => matches(entry, name, port)))) return null;
  return {
    refused: {
      code: 'target_not_allowed',
      message: `The host ${name} is not on the list of hosts that calls may go to.`,
      fix:
        'Use a listed host, or add this one to ASKFIRST_SIP_ALLOWED_HOSTS and to allowedHosts ' +
        '(PUT /v1/voip-guard), whichever is set.',
      evidence: { rule: 'names a host that is not on the allow-list', host: name },
    },
  };
}

/** An entry of a list of hosts in parts; null when it is none. */
type HostEntry = { name: string; bits: number | null; port: number | null; below: boolean };

/** What an entry of a list of hosts must be. */
export const HOST_ENTRY =
  'is a host name, *.name, an address or a network such as 192.0.2.0/24, with or without :port';

export function isHostEntry(text: string): boolean {
  return hostEntry(text) !== null;
}

/** `*.`, an address in brackets or a name or address, bits of a network, a port. */
const ENTRY_SHAPE = new RegExp(
  String.raw`^(\*\.)?(?:\[([0-9a-f:.]{2,45})(?:/(\d{1,3}))?\]` +
    String.raw`|([a-z0-9._-]{1,253})(?:/(\d{1,2}))?)(?::(\d{1,5}))?$`,
);

function hostEntry(text: string): HostEntry | null {
  const found = ENTRY_SHAPE.exec(text.trim().toLowerCase());
  if (found === null) return null;
  const [, star, v6, v6Bits, plain, plainBits, port] = found;
  const name = v6 ?? plain ?? '';
  const bits = v6Bits ?? plainBits;
  const family = isIP(name);
  if (v6 !== undefined && family !== 6) return null;
  if (bits !== undefined && (family === 0 || Number(bits) > (family === 4 ? 32 : 128))) return null;
  if (star !== undefined && family !== 0) return null;
  return {
    name,
    bits: bits === undefined ? null : Number(bits),
    port: port === undefined ? null : Number(port),
    below: star !== undefined,
  };
}

function matches(text: string, host: string, port: number | undefined): boolean {
  const entry = hostEntry(text);
  // An entry that nobody can read allows nothing.
  if (entry === null || (entry.port !== null && entry.port !== port)) return false;
  if (entry.below) return host.endsWith(`.${entry.name}`);
  if (entry.bits === null) return host === entry.name;
  const family = isIP(host);
  if (family === 0 || family !== isIP(entry.name)) return false;
  const network = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  network.addSubnet(entry.name, entry.bits, kind);
  return network.check(host, kind);
}

/** `%2B49` is `+49`; decoded until nothing changes would be a second guess, so once. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function notVoip(rule: string, what: string): Refused {
  return {
    refused: {
      code: 'target_not_voip',
      message: 'The address could lead out of VoIP into the telephone network.',
      fix: 'Give sip:user@host[:port][;transport=udp|tcp|tls] or sips:user@host[:port].',
      evidence: { rule, what },
    },
  };
}
