/** The session descriptions of the demo PBX: one audio stream, one codec, RFC 4733 digits. */
export type PbxCodec = 'opus' | 'PCMU' | 'PCMA';

export type PbxSession = {
  address: string;
  port: number;
  codec: PbxCodec;
  payloadType: number;
  digitsPayloadType: number | undefined;
  digitsClock: number;
};

const STATIC_NAMES: Readonly<Record<number, string>> = { 0: 'pcmu/8000', 8: 'pcma/8000' };
const CODECS = new Map<string, PbxCodec>(
  Object.entries({
    'opus/48000/2': 'opus',
    'pcmu/8000': 'PCMU',
    'pcmu/8000/1': 'PCMU',
    'pcma/8000': 'PCMA',
    'pcma/8000/1': 'PCMA',
  }),
);

/** Reads an offer and chooses; undefined when there is nothing that both sides speak. */
export function chooseSession(sdp: string, prefersOpus: boolean): PbxSession | undefined {
  const lines = sdp.split(/\r?\n/);
  // The address of the media section goes before that of the session (RFC 8866 section 5.7).
  const places = lines.filter((line) => line.startsWith('c='));
  const address = /^c=IN IP4 ([\d.]+)/.exec(places.at(-1) ?? '')?.[1];
  const media = lines.find((line) => line.startsWith('m=audio ')) ?? '';
  const [, port = '', , ...types] = media.split(' ');
  if (address === undefined || !/^\d{1,5}$/.test(port)) return undefined;
  const names = new Map<number, string>(
    types.map((type) => [Number(type), STATIC_NAMES[Number(type)] ?? '']),
  );
  for (const line of lines) {
    const map = /^a=rtpmap:(\d{1,3}) (\S+)/.exec(line);
    if (map !== null && names.has(Number(map[1]))) {
      names.set(Number(map[1]), (map[2] ?? '').toLowerCase());
    }
  }
  const offered = [...names].flatMap(([payloadType, name]) => {
    const codec = CODECS.get(name);
    return codec === undefined ? [] : [{ payloadType, codec }];
  });
  const opus = offered.find(({ codec }) => codec === 'opus');
  const g711 = offered.find(({ codec }) => codec !== 'opus');
  const chosen = prefersOpus ? (opus ?? g711) : (g711 ?? opus);
  if (chosen === undefined) return undefined;
  // The event clock must be that of the audio (RFC 4733 section 2.1).
  const digitsClock = chosen.codec === 'opus' ? 48_000 : 8000;
  const digits = [...names].find(([, name]) => name === `telephone-event/${digitsClock}`);
  return { address, port: Number(port), ...chosen, digitsPayloadType: digits?.[0], digitsClock };
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export function writeSession(
  session: PbxSession,
  own: { address: string; port: number; id: number; version: number; direction: Direction },
): string {
  const { payloadType, codec, digitsPayloadType: digits } = session;
  const clock = codec === 'opus' ? '48000/2' : '8000';
  return [
    'v=0',
    `o=demo-pbx ${own.id} ${own.version} IN IP4 ${own.address}`,
    's=Askfirst demo PBX',
    `c=IN IP4 ${own.address}`,
    't=0 0',
    `m=audio ${own.port} RTP/AVP ${payloadType}${digits === undefined ? '' : ` ${digits}`}`,
    `a=rtpmap:${payloadType} ${codec}/${clock}`,
    ...(digits === undefined
      ? []
      : [`a=rtpmap:${digits} telephone-event/${session.digitsClock}`, `a=fmtp:${digits} 0-15`]),
    'a=ptime:20',
    `a=${own.direction}`,
    '',
  ].join('\r\n');
}

/** For `bad-sdp`: starts like a description and then is none. */
export const BROKEN_SDP = 'v=0\r\no=- broken\r\nm=audio many RTP/AVP x\r\nc=IN IP9 nowhere\r\n';
