/** Webhook bodies in the shapes that Meta documents, for tests and the intake benchmark. */
export const WACID = 'wacid.HBgLMTIxODU1NTI4MjgVAgARGA';
export const WAMID = 'wamid.HBgLMTQwODU1NTEyMzQVAgARGA';
export const METADATA = {
  display_phone_number: '15551112222',
  phone_number_id: '105615555715855',
};
export const CONTACT = {
  profile: { name: 'Anna 😀', username: 'anna' },
  wa_id: '16501230000',
  user_id: 'US.13491208655302741918',
  parent_user_id: 'US.ENT.11815799212886844830',
};
export const SDP_ANSWER = [
  'v=0',
  'o=- 1767614400000 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'a=msid-semantic: WMS 7c5c1d2e-95b5-4ea0-8a4d-0f4f0a3a7d11',
  'a=ice-lite',
  'm=audio 3480 UDP/TLS/RTP/SAVPF 111 126',
  'c=IN IP4 157.240.19.130',
  'a=rtcp:9 IN IP4 0.0.0.0',
  'a=candidate:1 1 udp 2122260223 157.240.19.130 3480 typ host generation 0',
  'a=ice-ufrag:6O0H4Z8q2mN1pQ7x',
  'a=ice-pwd:3C1Z6bkIiKQ7fYwz0p9LxQ==',
  'a=setup:active',
  'a=mid:0',
  'a=sendrecv',
  'a=rtcp-mux',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:126 telephone-event/8000',
  '',
].join('\r\n');

/** One delivery with one change, as bytes. */
export function delivery(field: string, value: unknown, entry: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [{ id: '102290129340398', ...entry, changes: [{ field, value }] }],
    }),
  );
}

/** A `calls` or `messages` value around some items. */
export function value(items: object): object {
  return { messaging_product: 'whatsapp', metadata: METADATA, contacts: [CONTACT], ...items };
}

export const CONNECT = {
  id: WACID,
  from: '15551112222',
  to: '16501230000',
  to_user_id: CONTACT.user_id,
  event: 'connect',
  direction: 'BUSINESS_INITIATED',
  timestamp: '1767614400',
  biz_opaque_callback_data: 'call_0199',
  session: { sdp_type: 'answer', sdp: SDP_ANSWER },
  connection: { webrtc: { sdp: '{"sdp":"v=0 legacy","type":"answer"}' } },
};

export const TERMINATE = {
  id: WACID,
  from: '15551112222',
  to: '16501230000',
  event: 'terminate',
  direction: 'BUSINESS_INITIATED',
  timestamp: '1767614520',
  status: 'COMPLETED',
  start_time: '1767614410',
  end_time: '1767614520',
  duration: 110,
};

export const TERMINATE_ERROR = {
  code: 138021,
  message: 'No media',
  href: 'https://developers.facebook.com/',
  error_data: { details: 'The client got no media for long.' },
};

export function callStatus(status: string): object {
  return {
    id: WACID,
    type: 'call',
    status,
    timestamp: '1767614405',
    recipient_id: '16501230000',
    recipient_user_id: CONTACT.user_id,
    biz_opaque_callback_data: 'call_0199',
  };
}

/** A permission reply; `context` is left out for answers given in the business profile. */
export function permissionReply(reply: object, contextId?: string): object {
  return {
    from: '16501230000',
    from_user_id: CONTACT.user_id,
    id: WAMID,
    timestamp: '1767614400',
    type: 'interactive',
    ...(contextId === undefined ? {} : { context: { from: '15551112222', id: contextId } }),
    interactive: { type: 'call_permission_reply', call_permission_reply: reply },
  };
}
